import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { AgentRow } from '../agents/agent-row.ts'
import { lockAgent } from '../agents/lock-agent.ts'
import { requirePlace } from '../agents/require-place.ts'
import { requireNoDeployment } from './require-no-deployment.ts'
import { instancesInput, reasonInput, scaleWithin } from './scale-agent.ts'

const input = z.object({ id: z.string(), instances: instancesInput.nullish(), reason: reasonInput })

/** Which agent comes back, with how many instances; one unless said. */
export type RestoreAgentRequest = z.input<typeof input>

/**
 * Brings a retired agent back: it takes work again by the version that served it last, and what waits in its inbox is its
 * again. Events: agent.restored, agent.scaled. BAD_INPUT, NOT_FOUND; INVALID_STATE unless the agent is retired, and while
 * it is being deployed; QUOTA_EXCEEDED with every bound that its instances would pass.
 */
export async function restoreAgent(
  { database }: { database: Database },
  actor: Actor,
  request: RestoreAgentRequest,
): Promise<AgentRow> {
  const { id, instances, reason } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const { name, status, servingVersion, teamId } = await lockAgent(tx, id, 'input.id')
    await requirePlace(tx, teamId, 'input.id')
    if (status !== 'retired')
      fail('INVALID_STATE', { path: 'input.id', message: `The agent "${name}" is ${status}, not retired.` })
    await requireNoDeployment(tx, name, 'input.id')
    await tx.sql(
      `update agent set status = 'active', retired_at = null, updated_at = now()
       where organization_id = $1::uuid and id = $2::uuid returning id`,
      actor.organizationId,
      id,
    )
    await tx.appendEvent({
      type: 'agent.restored',
      subject: `agent/${id}`,
      data: { agentId: id, name, number: servingVersion, reason: reason ?? null },
    })
    const { agent } = await scaleWithin(tx, { agentId: id, instances: instances ?? 1, reason })
    return agent
  })
}
