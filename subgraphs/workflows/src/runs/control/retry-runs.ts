import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { limitKeyOf } from '../../limits/limit-key.ts'
import type { FailedRun } from './failed-run.ts'
import { insertStrands } from './insert-strands.ts'
import type { LockedRun } from './lock-runs.ts'
import { mainLineNode } from './main-line-node.ts'
import { recordEvents } from './record-events.ts'
import { retrySpread } from './retry-spread.ts'
import { aboutRun } from './run-reference.ts'
import type { RunRefusal } from './run-refusal.ts'

/**
 * Takes locked, failed runs up again at the steps that failed, as work of a new generation. The state is as it was. Of a
 * parallel or map that failed, the branches and items that arrived well are kept. A sub-run goes on by itself: its
 * parent has heard of its failure. Refused are runs whose steps were undone.
 */
export async function retryRuns(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  reason: string | null,
): Promise<RunRefusal[]> {
  const refused: RunRefusal[] = []
  for (const run of await readFailed(client, actor.organizationId, runs)) {
    const problem = problemOf(run)
    if (problem) refused.push({ runId: run.id, code: 'INVALID_STATE', message: problem })
    else await retryOne(client, actor, run, reason)
  }
  return refused
}

function problemOf(run: FailedRun): string | undefined {
  const { undone, definition } = run
  if (undone) return 'Steps of the run were undone when it failed; fork it from one of them.'
  const node = failedNode(run)
  if (node === null || !Object.hasOwn(definition.nodes, node)) return 'The run did not fail at a step.'
  return undefined
}

async function retryOne(
  client: pg.PoolClient,
  actor: Actor,
  failed: FailedRun,
  reason: string | null,
): Promise<void> {
  const o = actor.organizationId
  const { $undo: _, $undone: __, ...state } = failed.state
  const run = { ...failed, state, generation: failed.generation + 1 }
  const node = mainLineNode(run.definition, failedNode(run) ?? '')
  await client.query(
    `update run set status = 'running', epoch = epoch + 1, error = null, output = null, ended_at = null,
       parent_strand_id = null
     where organization_id = $1 and id = $2`,
    [o, run.id],
  )
  const steps = (await retrySpread(client, actor, run, node)) ?? (await enterAgain(client, actor, run, node))
  const { subject, data } = aboutRun(run)
  await recordEvents(client, actor, [
    { type: 'run.retried', subject, data: { ...data, reason, steps, generation: run.generation } },
  ])
}

const failedNode = ({ error, lastNode }: FailedRun): string | null => error?.node ?? lastNode

/** Who claims the main line enters the step anew. */
async function enterAgain(
  client: pg.PoolClient,
  { organizationId }: Actor,
  { id, state, generation, definition, input }: FailedRun,
  node: string,
): Promise<string[]> {
  await insertStrands(client, organizationId, id, [
    {
      id: uuidv7(),
      status: 'ready',
      state,
      generation,
      limit_key: limitKeyOf(definition, input) ?? undefined,
      has_place: true,
      resume: { type: 'step_entered', node },
    },
  ])
  return [node]
}

async function readFailed(
  client: pg.PoolClient,
  organizationId: string,
  runs: readonly LockedRun[],
): Promise<FailedRun[]> {
  const { rows } = await client.query<Omit<FailedRun, keyof LockedRun> & { id: string }>(
    `select r.id, r.input, r.state, r.error, v.definition,
       (select t.node_id from task t
         where t.organization_id = r.organization_id and t.run_id = r.id and t.parent_id is null
           and t.status in ('failed', 'cancelled') order by t.id desc limit 1) as "lastNode",
       (select coalesce(max(t.generation), 0) from task t
         where t.organization_id = r.organization_id and t.run_id = r.id) as generation,
       exists (select from task t where t.organization_id = r.organization_id and t.run_id = r.id
         and t.step_path like '%~undo' and t.status = 'completed') as undone
     from run r join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     where r.organization_id = $1 and r.id = any($2::uuid[])`,
    [organizationId, runs.map(({ id }) => id)],
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  return runs.flatMap((run) => {
    const row = byId.get(run.id)
    return row ? [{ ...run, ...row }] : []
  })
}
