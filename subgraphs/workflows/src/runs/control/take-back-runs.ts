import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { isRunQueued } from '../../engine/core/index.ts'
import { cancelRuns } from './cancel-runs.ts'
import { type LockedRun, lockStrands, raiseEpoch } from './lock-runs.ts'
import { recordEvents } from './record-events.ts'
import { aboutRun } from './run-reference.ts'
import type { RunRefusal } from './run-refusal.ts'

/** How far the undoing of a run is: none, because it failed, or because it is taken back. */
type Undoing = 'none' | 'failing' | 'taken back'

/**
 * Cancels locked runs once what completed of them is undone, the newest first, as when they fail: what they are at ends,
 * also below it and in sub-runs, and a worker does the rest. Where nothing can be undone they are cancelled at once.
 * Refused are runs whose steps are being undone because they failed.
 */
export async function takeBackRuns(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  reason: string | null,
): Promise<RunRefusal[]> {
  const o = actor.organizationId
  const undoable = await readUndoable(client, o, runs)
  const willBe = (run: LockedRun) => undoable.has(run.id) && !isRunQueued(run.status)
  const plain = runs.filter((run) => !willBe(run))
  if (plain.length > 0) await cancelRuns(client, actor, plain, { reason, terminated: false })

  const chosen = runs.filter((run) => willBe(run) && undoable.get(run.id) === 'none')
  const ids = chosen.map(({ id }) => id)
  await raiseEpoch(client, o, ids)
  await lockStrands(client, o, ids)
  await client.query(
    `update run set status = 'running', paused_with_parent = false
     where organization_id = $1 and id = any($2::uuid[])`,
    [o, ids],
  )
  await client.query(
    `update strand set status = 'ready', due_at = clock_timestamp(), fence = fence + 1, claim_id = null, agent_id = null,
       wait_key = case when task_id is null then 'slot:taken' end, recoveries = 0, resume = $3
     where organization_id = $1 and run_id = any($2::uuid[]) and parent_id is null`,
    [o, ids, JSON.stringify({ type: 'run_taken_back', node: '', ...(reason === null ? {} : { reason }) })],
  )
  await recordEvents(
    client,
    actor,
    chosen.map((run) => {
      const { subject, data } = aboutRun(run)
      return { type: 'run.cancelling', subject, data: { ...data, reason } } as const
    }),
  )
  return runs
    .filter((run) => willBe(run) && undoable.get(run.id) === 'failing')
    .map(({ id }) => ({
      runId: id,
      code: 'INVALID_STATE',
      message: 'The run has failed, and its steps are being undone; cancel it without compensation.',
    }))
}

/** Of the runs whose definitions can undo a step, how far that is. */
async function readUndoable(
  client: pg.PoolClient,
  organizationId: string,
  runs: readonly LockedRun[],
): Promise<ReadonlyMap<string, Undoing>> {
  const { rows } = await client.query<{ id: string; definition: WorkflowDefinition; undoing: Undoing }>(
    `select r.id, v.definition, case
       when s.resume->>'type' = 'run_taken_back' or s.state->'$undo'->'cancelled' is not null then 'taken back'
       when s.state->'$undo' is not null then 'failing' else 'none' end as undoing
     from run r join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     join strand s on s.organization_id = r.organization_id and s.run_id = r.id and s.parent_id is null
     where r.organization_id = $1 and r.id = any($2::uuid[])`,
    [organizationId, runs.map(({ id }) => id)],
  )
  return new Map(
    rows
      .filter(({ definition }) =>
        Object.values(definition.nodes).some((node) => node.kind === 'task' && node.compensate),
      )
      .map(({ id, undoing }) => [id, undoing]),
  )
}
