import type { Database, TenantTransaction } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import type { AgentRow } from '../agents/agent-row.ts'
import { lockAgent } from '../agents/lock-agent.ts'
import { requirePlace } from '../agents/require-place.ts'
import { copyToAgent } from './agent-version.ts'
import { requireActive } from './require-active.ts'

/**
 * Lets a version of an agent serve. Attempts that begin from now on go by it, at the latest after a second; one under way
 * ends as it began. Serving what serves is no mistake. NOT_FOUND with the path, INVALID_STATE unless the agent is active.
 */
export async function serveAgentVersion(
  { database }: { database: Database },
  actor: Actor,
  { agentId, number }: { agentId: string; number: number },
): Promise<void> {
  await database.inTenant(actor, async (tx) => {
    const agent = await lockAgent(tx, agentId)
    await requirePlace(tx, agent.teamId, 'input.agentId')
    requireActive(agent, 'input.agentId')
    if (!(await serve(tx, agent, number))) fail('NOT_FOUND', { path: 'input.number' })
  })
}

/** As {@link serveAgentVersion}, for an agent that the caller has locked. False when there is no such version. */
export async function serve(tx: TenantTransaction, agent: AgentRow, number: number): Promise<boolean> {
  if (agent.servingVersion === number) return true
  if (!(await copyToAgent(tx, agent.id, number))) return false
  await tx.appendEvent({
    type: 'agent.version_served',
    subject: `agent/${agent.id}`,
    data: { agentId: agent.id, name: agent.name, number, previous: agent.servingVersion },
  })
  return true
}
