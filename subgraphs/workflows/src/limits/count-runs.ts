import type pg from 'pg'
import type { QueuedRun, RunLimit } from './choose-runs.ts'

type Client = Pick<pg.ClientBase, 'query'>

/** One that was paused before it began takes no room. */
const UNDER_WAY = `r.status in ('running', 'waiting', 'paused') and (r.status <> 'paused' or not exists (
  select from strand s where s.organization_id = r.organization_id and s.run_id = r.id and s.parent_id is null
    and s.wait_key in ('slot', 'slot:sub')))`
/** It carries out the plan of an agent: plans are versions with numbers below zero. */
export const IS_PLAN = `exists (select from workflow_version v
  where v.organization_id = r.organization_id and v.id = r.version_id and v.version < 0)`
const GRANTED = `strand s join run r on r.id = s.run_id and r.organization_id is not distinct from s.organization_id
  where s.organization_id = $1 and s.wait_key = 'slot:taken' and r.status = 'queued'`
/** Begun, or let begin: neither in line nor, as a delayed start, not there yet. */
const BEGUN = `s.parent_id is null and s.limit_key is not null and coalesce(s.wait_key, '') not in ('slot', 'slot:sub')
  and (s.task_id is not null or s.wait_key = 'slot:taken')`

/**
 * Runs under way that count in the organization's limits, up to what they allow. Of sub-workflows it is the run above
 * that counts: else one would wait for itself.
 */
export async function countOrganization(
  client: Client,
  organizationId: string,
  limits: readonly RunLimit[],
): Promise<number> {
  const mosts = limits.flatMap(({ of, most }) => (of === 'organization' ? [most] : []))
  if (mosts.length === 0) return 0
  const { rows } = await client.query<{ n: number }>({
    name: 'limit-count-organization',
    text: `select (select count(*)::int from (select from run r
          where r.organization_id = $1 and r.depth = 0 and ${UNDER_WAY} limit $2) x)
      + (select count(*)::int from ${GRANTED} and r.depth = 0) as n`,
    values: [organizationId, Math.min(...mosts)],
  })
  return rows[0]?.n ?? 0
}

/** Runs under way of each limited workflow, up to what its limit allows; an agent's plan is part of the run above. */
export async function countWorkflows(
  client: Client,
  organizationId: string,
  limits: readonly RunLimit[],
): Promise<Map<string, number>> {
  const limited = limits.flatMap((limit) => (limit.of === 'workflow' ? [limit] : []))
  if (limited.length === 0) return new Map()
  const { rows } = await client.query<{ id: string; n: number }>({
    name: 'limit-count-workflows',
    text: `select w.id, (select count(*)::int from (select from run r
          where r.organization_id = $1 and r.workflow_id = w.id and ${UNDER_WAY} and not ${IS_PLAN} limit w.most) x)
        + (select count(*)::int from ${GRANTED} and s.workflow_id = w.id and not ${IS_PLAN}) as n
      from unnest($2::uuid[], $3::int[]) as w(id, most)`,
    values: [organizationId, limited.map(({ workflowId }) => workflowId), limited.map(({ most }) => most)],
  })
  return new Map(rows.map(({ id, n }) => [id, n]))
}

/** Runs that have begun, or may, under the keys of these that wait; by `<workflow id>/<key>`. */
export async function countKeys(
  client: Client,
  organizationId: string,
  limits: readonly RunLimit[],
  waiting: readonly QueuedRun[],
): Promise<Map<string, number>> {
  const keyed = new Set(limits.flatMap((limit) => (limit.of === 'key' ? [limit.workflowId] : [])))
  const pairs = waiting.filter(({ workflowId, limitKey }) => limitKey !== null && keyed.has(workflowId))
  if (pairs.length === 0) return new Map()
  const { rows } = await client.query<{ key: string; n: number }>({
    name: 'limit-count-keys',
    text: `select x.workflow || '/' || x.key as key, (select count(*)::int from strand s where s.organization_id = $1
        and s.limit_key = x.key and s.workflow_id = x.workflow and ${BEGUN}) as n
      from (select distinct * from unnest($2::uuid[], $3::text[]) as y(workflow, key)) x`,
    values: [
      organizationId,
      pairs.map(({ workflowId }) => workflowId),
      pairs.map(({ limitKey }) => limitKey),
    ],
  })
  return new Map(rows.map(({ key, n }) => [key, n]))
}

/** Every key without room, so that those who wait for one are passed by at once, however many they are. */
export async function readFullKeys(
  client: Client,
  organizationId: string,
  limits: readonly RunLimit[],
): Promise<string[]> {
  const keyed = limits.flatMap((limit) => (limit.of === 'key' ? [limit] : []))
  if (keyed.length === 0) return []
  const { rows } = await client.query<{ key: string }>({
    name: 'limit-full-keys',
    text: `select s.workflow_id || '/' || s.limit_key as key from strand s
      join unnest($2::uuid[], $3::int[]) as l(workflow, most) on l.workflow = s.workflow_id
      where s.organization_id = $1 and ${BEGUN} group by s.workflow_id, s.limit_key having count(*) >= min(l.most)`,
    values: [organizationId, keyed.map(({ workflowId }) => workflowId), keyed.map(({ most }) => most)],
  })
  return rows.map(({ key }) => key)
}
