import type pg from 'pg'
import { admit, type Candidate, type Full, type TaskLimit, type UnderWay } from './admit.ts'
import { refill } from './token-bucket.ts'

/** Which candidates may be claimed now, and what admits no more of the others. */
export interface Room {
  admitted: Set<string>
  /** What takes a place that the database does not count yet: all admitted but those whose lease ran out. */
  places: Candidate[]
  /** With `busy`: another claimer is at the limits of that organization just now. */
  full: (Full | { organizationId: string; of: 'busy' })[]
}

/** How many to admit at most, and what the caller was granted before in its transaction and will claim as well. */
export interface RoomOptions {
  most?: number
  granted?: readonly Candidate[]
}

interface LockedLimit {
  organization_id: string
  id: string
  scope: TaskLimit['scope']
  subject: string
  max_running: number | null
  max_starts: number | null
  per_seconds: number | null
  max_cost_usd: number | null
  tokens: number
  /** The moment of this look, on the database's clock to the microsecond. */
  now: string
  elapsed: number
  spent: number | null
}

type Client = Pick<pg.ClientBase, 'query'>

const LOCK = {
  name: 'limit-lock',
  text: `select l.organization_id, l.id, l.scope, l.subject, l.max_running, l.max_starts, l.per_seconds,
      l.max_cost_usd::float8, l.tokens, greatest(l.refilled_at, statement_timestamp())::text as now,
      extract(epoch from statement_timestamp() - l.refilled_at)::float8 as elapsed,
      case when l.counts = 'cost' then (select coalesce(sum(c.cost_usd), 0)::float8 from task_cost c
        where c.organization_id = l.organization_id and c.spent_at >= tutti_day_start(l.organization_id)) end as spent
    from engine_limit l where l.organization_id = any($1::uuid[]) and l.counts <> 'runs'
    order by l.organization_id, l.id for no key update of l skip locked`,
}

/**
 * Which of these candidates may be claimed now, in their order. Within the caller's transaction, which
 * claims exactly the admitted: until it ends, the limits of those organizations are locked, and whoever finds them
 * locked takes none of that organization this time. Limits are locked in the order of organization and id, and nothing
 * waits for them here.
 */
export async function claimRoom(
  client: Client,
  candidates: readonly Candidate[],
  { most = candidates.length, granted = [] }: RoomOptions = {},
): Promise<Room> {
  const organizations = [...new Set(candidates.map(({ organizationId }) => organizationId))]
  if (organizations.length === 0) return { admitted: new Set(), places: [], full: [] }
  const locked = await client.query<LockedLimit>({ ...LOCK, values: [organizations] })
  const byOrganization = Map.groupBy(locked.rows, (row) => row.organization_id)
  const totals = await readTotals(client, organizations)
  const ours = organizations.filter((id) => (byOrganization.get(id)?.length ?? 0) === totals.get(id))
  const full: Room['full'] = organizations
    .filter((id) => !ours.includes(id))
    .map((organizationId) => ({ organizationId, of: 'busy' }))
  const standing = await readStanding(
    client,
    candidates.filter(({ organizationId }) => ours.includes(organizationId)),
  )
  const within = candidates.filter(({ strandId }) => standing.has(strandId))
  if (within.length === 0) return { admitted: new Set(), places: [], full }

  const rows = ours.flatMap((id) => byOrganization.get(id) ?? [])
  const limits = rows.map(toTaskLimit)
  const leased = new Set([...standing].flatMap(([id, isLeased]) => (isLeased ? [id] : [])))
  const admission = admit(within, {
    limits,
    underWay: [
      ...(await readUnderWay(client, ours)),
      ...granted.map((candidate) => ({ ...candidate, running: 1 })),
    ],
    leased,
    costly: limits.some(({ spent }) => spent) ? await readCostly(client, within) : new Set(),
    most,
  })
  await takeTokens(client, rows, limits, admission.taken)
  return {
    admitted: new Set(admission.admitted.map(({ strandId }) => strandId)),
    places: admission.admitted.filter(({ strandId }) => !leased.has(strandId)),
    full: [...full, ...admission.full],
  }
}

function toTaskLimit(row: LockedLimit): TaskLimit {
  const { max_starts: maxStarts, per_seconds: perSeconds, spent, max_cost_usd: most } = row
  return {
    id: row.id,
    organizationId: row.organization_id,
    scope: row.scope,
    subject: row.subject,
    maxRunning: row.max_running,
    tokens:
      maxStarts === null || perSeconds === null
        ? null
        : refill({ tokens: row.tokens, maxStarts, perSeconds }, row.elapsed),
    spent: spent !== null && most !== null && spent >= most,
  }
}

/** How many limits each has: where fewer were locked, somebody else has the rest. */
async function readTotals(client: Client, organizations: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: string; total: number }>({
    name: 'limit-totals',
    text: `select o.id, (select count(*)::int from engine_limit l
        where l.organization_id = o.id and l.counts <> 'runs') as total
      from unnest($1::uuid[]) as o(id)`,
    values: [organizations],
  })
  return new Map(rows.map(({ id, total }) => [id, total]))
}

/**
 * Strands `s` of organizations `$1` that a worker of ours does, or somebody outside: who claimed it, or took it on to answer
 * later. A claim that lapsed holds no place.
 */
export const UNDER_WAY = `select s.organization_id, s.workflow_id, s.agent_id, s.limit_key from strand s
    where s.organization_id = any($1::uuid[]) and s.status = 'running'
  union all
  select s.organization_id, s.workflow_id, s.agent_id, s.limit_key from strand s
    where s.organization_id = any($1::uuid[]) and s.status = 'waiting' and starts_with(s.wait_key, 'worker:')
      and not exists (select from board_item i where i.organization_id = s.organization_id and i.task_id = s.task_id
        and (i.status = 'open' or i.status = 'claimed' and i.lease_until <= clock_timestamp()))`

/** A statement of its own, after the lock: only so does it see what the claimer before has claimed. */
async function readUnderWay(client: Client, organizations: readonly string[]): Promise<UnderWay[]> {
  const { rows } = await client.query<UnderWay>({
    name: 'limit-under-way',
    text: `select s.organization_id as "organizationId", s.workflow_id as "workflowId", s.agent_id as "agentId",
        s.limit_key as "limitKey", count(*)::int as running
      from (${UNDER_WAY}) s group by 1, 2, 3, 4`,
    values: [organizations],
  })
  return rows
}

/**
 * The candidates that are still due, and whether each has a lease that ran out. Others may have claimed some between the
 * look at the queue and the lock.
 */
async function readStanding(client: Client, candidates: readonly Candidate[]): Promise<Map<string, boolean>> {
  const { rows } = await client.query<{ id: string; leased: boolean }>({
    name: 'limit-standing',
    text: `select s.id, s.status = 'running' as leased from unnest($1::uuid[]) as x(id)
      join strand s on s.id = x.id and s.due_at <= clock_timestamp()`,
    values: [candidates.map(({ strandId }) => strandId)],
  })
  return new Map(rows.map(({ id, leased }) => [id, leased]))
}

/** The agents among them whose attempts may cost: all but persons, the unbound, and functions without a model. */
async function readCostly(client: Client, candidates: readonly Candidate[]): Promise<Set<string>> {
  const withAgents = candidates.filter(({ agentId }) => agentId !== null)
  const { rows } = await client.query<{ id: string }>({
    name: 'limit-costly',
    text: `select distinct a.id from unnest($1::uuid[], $2::uuid[]) as x(o, id)
      join agent a on a.organization_id = x.o and a.id = x.id
      where coalesce(a.executor->>'type', '') not in ('person', 'unbound')
        and not (a.executor->>'type' = 'builtin' and a.configuration->'ai_models' is null)`,
    values: [
      withAgents.map(({ organizationId }) => organizationId),
      withAgents.map(({ agentId }) => agentId),
    ],
  })
  return new Set(rows.map(({ id }) => id))
}

async function takeTokens(
  client: Client,
  rows: readonly LockedLimit[],
  limits: readonly TaskLimit[],
  taken: ReadonlyMap<string, number>,
): Promise<void> {
  if (taken.size === 0) return
  const left = new Map(limits.map(({ id, tokens }) => [id, (tokens ?? 0) - (taken.get(id) ?? 0)]))
  const changed = rows.filter(({ id }) => taken.has(id))
  await client.query({
    name: 'limit-take',
    text: `update engine_limit l set tokens = x.tokens, refilled_at = x.now
      from unnest($1::uuid[], $2::uuid[], $3::float8[], $4::timestamptz[]) as x(o, id, tokens, now)
      where l.organization_id = x.o and l.id = x.id`,
    values: [
      changed.map((row) => row.organization_id),
      changed.map(({ id }) => id),
      changed.map(({ id }) => left.get(id)),
      changed.map(({ now }) => now),
    ],
  })
}
