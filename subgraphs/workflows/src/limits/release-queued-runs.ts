import type pg from 'pg'
import { chooseRuns, type QueuedRun, type RunLimit } from './choose-runs.ts'
import { countKeys, countOrganization, countWorkflows, readFullKeys } from './count-runs.ts'

type Client = Pick<pg.ClientBase, 'query'>

/** Runs looked at together; of each workflow so many at most. */
const PAGE = 200
const LINES = `('slot', 'slot:sub')`

/**
 * Lets runs begin that wait for their turn, oldest first (a step of priority is worth an hour), as many as the limits on
 * runs have room for; runs under an order to stop are passed by. Answers with their ids; the workers are to be woken.
 * Within the caller's transaction; it waits for the locks of these limits, and for no others. Call it after a run has
 * ended, and now and then: it looks at what is so, and repeating it changes nothing.
 */
export async function releaseQueuedRuns(client: Client, organizationId: string): Promise<string[]> {
  const { rows } = await client.query<LimitColumns>({
    name: 'limit-runs',
    text: `select scope, subject, per_key is not null as keyed, max_running from engine_limit
      where organization_id = $1 and counts = 'runs' order by id for no key update`,
    values: [organizationId],
  })
  const limits = rows.map(toRunLimit)
  const released: string[] = []
  for (let keys: readonly string[] = []; ;) {
    const lines = await readLines(client, organizationId)
    if (lines.length === 0) return released
    const counts = {
      organization: await countOrganization(client, organizationId, limits),
      workflows: await countWorkflows(client, organizationId, limits),
    }
    const open = lines.filter((line) => isOpen(line, limits, counts))
    const waiting = await readWaiting(client, organizationId, open, keys)
    if (waiting.length === 0) return released
    const chosen = chooseRuns(waiting, limits, {
      ...counts,
      keys: await countKeys(client, organizationId, limits, waiting),
    })
    await letBegin(client, organizationId, chosen)
    released.push(...chosen.map(({ runId }) => runId))
    // Whoever was left waiting is so because of what is full now: it is left out of the next look.
    keys = await readFullKeys(client, organizationId, limits)
  }
}

interface LimitColumns {
  scope: 'organization' | 'workflow'
  subject: string
  keyed: boolean
  max_running: number
}

function toRunLimit({ scope, subject, keyed, max_running: most }: LimitColumns): RunLimit {
  return scope === 'organization'
    ? { of: 'organization', most }
    : { of: keyed ? 'key' : 'workflow', workflowId: subject, most }
}

/** Runs of one workflow that wait: those started by themselves, or sub-workflows. */
interface Line {
  line: 'slot' | 'slot:sub'
  workflowId: string
}

function isOpen(
  { line, workflowId }: Line,
  limits: readonly RunLimit[],
  counts: { organization: number; workflows: ReadonlyMap<string, number> },
): boolean {
  return limits.every((limit) => {
    if (limit.of === 'organization') return line === 'slot:sub' || counts.organization < limit.most
    if (limit.of === 'key' || limit.workflowId !== workflowId) return true
    return (counts.workflows.get(workflowId) ?? 0) < limit.most
  })
}

/** From line to line along the index, however many runs stand in each. */
async function readLines(client: Client, organizationId: string): Promise<Line[]> {
  const { rows } = await client.query<Line>({
    name: 'limit-lines-of',
    text: `with recursive line(line, workflow) as (
      (select s.wait_key, s.workflow_id from strand s where s.organization_id = $1 and s.wait_key in ${LINES}
       order by s.wait_key, s.workflow_id limit 1)
      union all
      select n.wait_key, n.workflow_id from line, lateral (
        select s.wait_key, s.workflow_id from strand s where s.organization_id = $1 and s.wait_key in ${LINES}
          and (s.wait_key, s.workflow_id) > (line.line, line.workflow) order by s.wait_key, s.workflow_id limit 1) n
    ) select line, workflow as "workflowId" from line where not tutti_contained($1, workflow, null, null)`,
    values: [organizationId],
  })
  return rows
}

async function readWaiting(
  client: Client,
  organizationId: string,
  lines: readonly Line[],
  fullKeys: readonly string[],
): Promise<QueuedRun[]> {
  if (lines.length === 0) return []
  const { rows } = await client.query<QueuedRun>({
    name: 'limit-waiting',
    text: `select w.id as "strandId", w.run_id as "runId", w.workflow_id as "workflowId", w.limit_key as "limitKey", w.depth
      from unnest($2::text[], $3::uuid[]) as l(line, workflow), lateral (
        select s.id, s.run_id, s.workflow_id, s.limit_key, r.depth,
          (s.created_at at time zone 'UTC') - s.priority * interval '1 hour' as place
        from strand s join run r on r.id = s.run_id and r.organization_id is not distinct from s.organization_id
        where s.organization_id = $1 and s.wait_key = l.line and s.wait_key in ${LINES} and s.workflow_id = l.workflow
          and s.status = 'held' and r.status = 'queued' and (r.start_at is null or r.start_at <= clock_timestamp())
          and (s.limit_key is null or s.workflow_id || '/' || s.limit_key <> all($4::text[]))
        order by (s.created_at at time zone 'UTC') - s.priority * interval '1 hour', s.id limit ${PAGE}
        for no key update of s skip locked) w
      order by w.place, w.id limit ${PAGE}`,
    values: [
      organizationId,
      lines.map(({ line }) => line),
      lines.map(({ workflowId }) => workflowId),
      fullKeys,
    ],
  })
  return rows
}

async function letBegin(client: Client, organizationId: string, chosen: readonly QueuedRun[]): Promise<void> {
  if (chosen.length === 0) return
  await client.query({
    name: 'limit-begin',
    text: `update strand s set status = 'ready', wait_key = 'slot:taken',
        due_at = greatest(r.created_at - s.priority * interval '1 hour', r.start_at)
      from unnest($2::uuid[]) as x(id) join run r on r.id = x.id
      where r.organization_id is not distinct from $1 and s.organization_id = $1 and s.run_id = r.id
        and s.parent_id is null and s.status = 'held' and s.wait_key in ${LINES}`,
    values: [organizationId, chosen.map(({ runId }) => runId)],
  })
}

/** Organizations of which runs wait for their turn: for the reconciler. */
export async function queuedOrganizations(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>({
    name: 'limit-queued',
    text: `with recursive tenant(id) as (
      (select s.organization_id from strand s where s.wait_key in ${LINES} order by s.organization_id limit 1)
      union all
      select n.organization_id from tenant, lateral (select s.organization_id from strand s
        where s.wait_key in ${LINES} and s.organization_id > tenant.id order by s.organization_id limit 1) n
    ) select id from tenant`,
  })
  return rows.map(({ id }) => id)
}
