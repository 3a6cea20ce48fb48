import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Context } from '../context.ts'
import { policyOf, resourceManagementOf, type ScalingPolicy } from './scaling-policy.ts'

/** How an agent is scaled. */
export interface ScalingRow {
  id: string
  policy: ScalingPolicy
  last: LastChange | null
  refusal: { at: Date; wanted: number; message: string } | null
}

/** The last change of an agent's instances. */
export interface LastChange {
  at: Date
  from: number
  to: number
  cause: 'automatic' | 'manual'
  reason: string | null
  load: unknown
}

interface Row {
  id: string
  settings: unknown
  policy: unknown
  at: Date | null
  from: number | null
  to: number | null
  cause: LastChange['cause'] | null
  reason: string | null
  load: unknown
  refusal: { at: string; wanted: number; message: string } | null
}

/** How agents are scaled, by the agent's id, in one read. */
export async function loadScaling(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, ScalingRow>> {
  const rows = await database.readTenant<Row>(
    actor,
    `select a.id, t.settings, s.policy, s.scaled_at as at, s.scaled_from as "from", s.scaled_to as "to", s.cause, s.reason,
       s.load, s.refusal
     from (select $1::uuid as organization_id, ${resourceManagementOf('o')} as settings
       from (select $1::uuid as organization_id) o) t
     join agent a on a.organization_id = t.organization_id and a.id = any($2::uuid[])
     left join agent_scaling s on s.organization_id = a.organization_id and s.id = a.id`,
    [actor.organizationId, agentIds.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, scalingOf(row)]))
}

function scalingOf({ id, settings, policy, at, from, to, cause, reason, load, refusal }: Row): ScalingRow {
  return {
    id,
    policy: policyOf(settings, policy),
    last:
      at === null || from === null || to === null || cause === null
        ? null
        : { at, from, to, cause, reason, load },
    refusal: refusal === null ? null : { ...refusal, at: new Date(refusal.at) },
  }
}

/** When an agent may grow, or shrink, next by its load; null: at once. */
export function notBefore({ policy, last }: ScalingRow, way: 'up' | 'down'): Date | null {
  if (last === null) return null
  const at = last.at.getTime() + (way === 'up' ? policy.upCooldownMs : policy.downCooldownMs)
  return at <= Date.now() ? null : new Date(at)
}

/** An agent's load in one minute. */
export interface LoadSample {
  minute: Date
  samples: number
  instances: number
  slots: number
  runningAverage: number
  runningMax: number
  queued: number
  queuedMax: number
  responseP95Ms: number | null
}

/** Columns of {@link LoadSample}, of `agent_load l`. */
export const LOAD_COLUMNS = `l.minute, l.samples, l.instances, l.slots, l.running_average as "runningAverage",
  l.running_max as "runningMax", l.queued, l.queued_max as "queuedMax", l.response_p95_ms as "responseP95Ms"`

const MOST_MINUTES = 1_440

/** How far back an agent's load is told. BAD_INPUT. */
export function minutesOf(minutes: number | null | undefined): number {
  const told = minutes ?? 60
  if (told < 1 || told > MOST_MINUTES)
    fail('BAD_INPUT', { path: 'minutes', message: `From 1 to ${MOST_MINUTES}.` })
  return told
}

/** The last minutes' load of agents, by `<agent>/<minutes>`, oldest first, in one read. */
export async function loadSamples(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, LoadSample[]>> {
  const rows = await database.readTenant<LoadSample & { key: string }>(
    actor,
    `select k.key, ${LOAD_COLUMNS} from unnest($2::text[]) as k(key)
     join agent_load l on l.organization_id = $1::uuid and l.agent_id = split_part(k.key, '/', 1)::uuid
       and l.minute > clock_timestamp() - split_part(k.key, '/', 2)::int * interval '1 minute'
     order by l.minute`,
    [actor.organizationId, keys],
  )
  return Map.groupBy(rows, ({ key }) => key)
}
