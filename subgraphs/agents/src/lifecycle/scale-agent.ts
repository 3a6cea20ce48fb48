import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { AgentRow } from '../agents/agent-row.ts'
import { lockAgent } from '../agents/lock-agent.ts'
import { requireActive } from './require-active.ts'
import { allocate, requireRoom, wantedBy } from './require-room.ts'

/** Instances an agent may have. */
export const MOST_INSTANCES = 50
/** How many instances, as an argument. */
export const instancesInput = z
  .int()
  .min(1, `From 1 to ${MOST_INSTANCES}.`)
  .max(MOST_INSTANCES, `From 1 to ${MOST_INSTANCES}.`)

/** Why somebody did it, in their words. */
export const reasonInput = z
  .string()
  .trim()
  .max(1_000)
  .refine(
    (text) => text.isWellFormed() && !text.includes('\0'),
    'It holds a character that cannot be stored.',
  )
  .nullish()

const input = z.object({ agentId: z.string(), instances: instancesInput, reason: reasonInput })

/** How many instances an agent is to have. */
export type ScaleAgentRequest = z.input<typeof input>

/**
 * Gives an agent this many instances. What it takes at once changes with the commit: of fewer instances, what is under
 * way ends, and no more begins until there is room. BAD_INPUT, NOT_FOUND; INVALID_STATE unless the agent is active, and
 * when a quota has no room, with every bound that would be passed.
 */
export async function scaleAgent(
  { database }: { database: Database },
  actor: Actor,
  request: ScaleAgentRequest,
): Promise<{ agent: AgentRow; from: number }> {
  const { agentId, instances, reason } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const agent = await lockAgent(tx, agentId)
    requireActive(agent, 'input.agentId')
    const { organizationId } = actor
    const [deployment] = await tx.sql(
      `select id from agent_deployment where organization_id = $1::uuid and agent_name = $2 and status in ('running', 'undoing')`,
      organizationId,
      agent.name,
    )
    if (deployment)
      fail('INVALID_STATE', { path: 'input.agentId', message: 'A deployment of the agent is under way.' })
    const ready = await tx.sql<{ id: string }>(
      `select id from agent_instance where organization_id = $1::uuid and agent_id = $2::uuid order by id`,
      organizationId,
      agent.id,
    )
    const from = ready.length
    if (from === instances) return { agent, from }
    const wanted = wantedBy(agent, instances)
    if (instances > from) await requireRoom(tx, wanted)
    await allocate(tx, wanted)
    if (instances > from)
      await tx.sql(
        `insert into agent_instance (organization_id, agent_id, status)
         select $1::uuid, $2::uuid, 'ready' from generate_series(1, $3::int) returning id`,
        organizationId,
        agent.id,
        instances - from,
      )
    else
      await tx.sql(
        'delete from agent_instance where organization_id = $1::uuid and id = any($2::uuid[]) returning id',
        organizationId,
        ready.slice(instances).map(({ id }) => id),
      )
    const data = { agentId: agent.id, name: agent.name, from, to: instances, reason: reason ?? null }
    await tx.appendEvent({ type: 'agent.scaled', subject: `agent/${agent.id}`, data })
    return { agent, from }
  })
}
