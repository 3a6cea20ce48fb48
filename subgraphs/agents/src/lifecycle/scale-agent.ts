import type { Database, TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { AgentRow } from '../agents/agent-row.ts'
import { lockAgent } from '../agents/lock-agent.ts'
import { requirePlace } from '../agents/require-place.ts'
import type { LoadFigures } from '../scaling/load-figures.ts'
import { MOST_INSTANCES } from './most-instances.ts'
import { requireActive } from './require-active.ts'
import { requireNoDeployment } from './require-no-deployment.ts'
import { allocate, requireRoom, wantedBy } from './require-room.ts'

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

/** A decision by load: it holds only while the agent has the instances it was made for. */
export interface ScaledByLoad {
  from: number
  load: LoadFigures
}

/**
 * Gives an agent this many instances. What it takes at once changes with the commit: of fewer instances, what is under
 * way ends, and no more begins until there is room. BAD_INPUT, NOT_FOUND; INVALID_STATE unless the agent is active,
 * QUOTA_EXCEEDED with every bound that would be passed. A change by load that comes too late changes nothing.
 */
export async function scaleAgent(
  { database }: { database: Database },
  actor: Actor,
  request: ScaleAgentRequest,
  byLoad?: ScaledByLoad,
): Promise<{ agent: AgentRow; from: number }> {
  const parsed = parseInput(input, request)
  return database.inTenant(actor, (tx) => scaleWithin(tx, parsed, byLoad))
}

/** As {@link scaleAgent}, within a transaction. What is refused is refused before anything is written. */
export async function scaleWithin(
  tx: TenantTransaction,
  { agentId, instances, reason }: ScaleAgentRequest,
  byLoad?: ScaledByLoad,
): Promise<{ agent: AgentRow; from: number }> {
  const agent = await lockAgent(tx, agentId)
  await requirePlace(tx, agent.teamId, 'input.agentId')
  requireActive(agent, 'input.agentId')
  const { organizationId } = tx.actor
  await requireNoDeployment(tx, agent.name, 'input.agentId')
  const ready = await tx.sql<{ id: string }>(
    `select id from agent_instance where organization_id = $1::uuid and agent_id = $2::uuid order by id`,
    organizationId,
    agent.id,
  )
  const from = ready.length
  if (from === instances || (byLoad && from !== byLoad.from)) return { agent, from }
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
  await tx.sql(
    `insert into agent_scaling (organization_id, id, scaled_at, scaled_from, scaled_to, cause, reason, load)
     values ($1::uuid, $2::uuid, clock_timestamp(), $3::int, $4::int, $5, $6, $7::jsonb)
     on conflict (organization_id, id) do update set scaled_at = excluded.scaled_at, scaled_from = excluded.scaled_from,
       scaled_to = excluded.scaled_to, cause = excluded.cause, reason = excluded.reason, load = excluded.load,
       refusal = null
     returning id`,
    organizationId,
    agent.id,
    from,
    instances,
    byLoad ? 'automatic' : 'manual',
    reason ?? null,
    byLoad ? JSON.stringify(byLoad.load) : null,
  )
  const data = {
    agentId: agent.id,
    name: agent.name,
    from,
    to: instances,
    reason: reason ?? null,
    ...(byLoad ? { cause: 'automatic' as const, load: byLoad.load } : {}),
  }
  await tx.appendEvent({ type: 'agent.scaled', subject: `agent/${agent.id}`, data })
  return { agent, from }
}
