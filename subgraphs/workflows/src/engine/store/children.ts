import { eventActor } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'

/**
 * Lets as many held children of a parent go on as its width allows. It counts those under way rather than trusting how
 * many were let go, so that repeating it, at the same time or after a crash, changes nothing.
 */
export async function releaseChildren(pool: pg.Pool, parentId: string): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'engine-release',
    text: `with parent as (
      select s.id, s.width from strand s where s.id = $1 and s.status = 'waiting' and s.width is not null
      for no key update
    ), room as (
      select p.id, p.width - (select count(*) from strand c where c.parent_id = p.id
        and (c.status <> 'held' or c.task_id is not null)) as n
      from parent p
    ), chosen as materialized (
      select c.id from room, lateral (select c.id from strand c where c.parent_id = room.id and c.status = 'held'
        and c.task_id is null order by c.position limit greatest(room.n, 0)) c
    )
    update strand s set status = 'ready', due_at = clock_timestamp() from chosen c where s.id = c.id and s.status = 'held'`,
    values: [parentId],
  })
  return (rowCount ?? 0) > 0
}

/** Parents whose children are held although there is room: for the reconciler. */
export async function findRoomyParents(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select s.id from strand s where s.width is not null and s.status = 'waiting' and s.pending > 0
     and (select count(*) from strand c where c.parent_id = s.id and c.status <> 'held') = 0 limit 100`,
  )
  return rows.map(({ id }) => id)
}

/** Strands that wait for a signal which has come: for the reconciler. */
export async function findAwaiting(pool: pg.Pool): Promise<{ organizationId: string; id: string }[]> {
  const { rows } = await pool.query<{ organizationId: string; id: string }>(
    `select s.organization_id as "organizationId", s.id from run_signal g
     join strand s on s.organization_id = g.organization_id and s.run_id = g.run_id and s.wait_key = 'signal:' || g.name
     where g.taken_at is null and s.status = 'waiting' limit 500`,
  )
  return rows
}

/** A strand, and the task of it whose branches, items or sub-run are to end. */
export interface CancelledParent {
  strand: string
  task: string
}

/**
 * Ends everything below the given tasks, sub-runs that are waited for too: strands go, tasks that are not over are
 * cancelled. Who works on one is told at its next renewal; its answer finds no strand. What the strand began since is
 * left alone. Within the caller's transaction.
 */
export async function cancelBelow(
  client: Pick<pg.ClientBase, 'query'>,
  parents: readonly CancelledParent[],
  actor: Pick<Actor, 'id' | 'kind' | 'name'>,
): Promise<void> {
  const doomed = await lockBelow(client, parents)
  if (doomed.length === 0) return
  const runs = doomed.filter((each) => each.is_run)
  await client.query(
    `with gone as (
      delete from strand s using unnest($1::uuid[]) as x(id) where s.id = x.id
      returning s.id, s.task_id, s.workflow_id, s.run_id, s.parent_id, s.state
    ), cancelled as (
      update task t set status = 'cancelled', ended_at = clock_timestamp() from gone g
      where t.id = g.task_id and t.status in ('ready', 'running', 'waiting')
      returning t.organization_id, t.id, t.run_id, t.step_path, t.agent_id, t.attempt, g.workflow_id
    ), runs as (
      update run r set status = 'cancelled', epoch = r.epoch + 1, ended_at = clock_timestamp(), state = g.state,
        error = '{"code": "RUN_CANCELLED", "message": "The step that waited for it ended."}'
      from unnest($2::uuid[]) as x(id) join gone g on g.run_id = x.id and g.parent_id is null
      where r.id = x.id and r.status not in ('completed', 'failed', 'cancelled')
      returning r.organization_id, r.id, r.workflow_id
    )
    insert into log.event (organization_id, type, subject, actor, data, run_id)
    select c.organization_id, 'task.cancelled', 'task/' || c.id, $3::jsonb, jsonb_build_object('runId', c.run_id,
      'workflowId', c.workflow_id, 'workflowName', w.name, 'taskId', c.id, 'stepPath', c.step_path, 'agentId', c.agent_id,
      'attempt', c.attempt), c.run_id
    from cancelled c join workflow w on w.id = c.workflow_id
    union all
    select r.organization_id, 'run.cancelled', 'run/' || r.id, $3::jsonb, jsonb_build_object('runId', r.id,
      'workflowId', r.workflow_id, 'workflowName', w.name), r.id
    from runs r join workflow w on w.id = r.workflow_id`,
    [doomed.map(({ id }) => id), runs.map(({ run_id }) => run_id), JSON.stringify(eventActor(actor))],
  )
}

interface Doomed {
  id: string
  run_id: string
  is_run: boolean
}

/**
 * Locks the strands below, and the sub-runs among them before. A statement that had to wait has not seen what was begun
 * meanwhile: so it looks again until there is nothing new, and what follows sees all of it.
 */
async function lockBelow(
  client: Pick<pg.ClientBase, 'query'>,
  parents: readonly CancelledParent[],
): Promise<Doomed[]> {
  const values = [parents.map(({ strand }) => strand), parents.map(({ task }) => task)]
  const below = `with recursive doomed as (
      select s.id, s.task_id, s.run_id, s.is_run
      from unnest($1::uuid[], $2::uuid[]) as x(strand, task), lateral (${childrenOf('x.strand', 'x.task')}) s
      union all
      select s.id, s.task_id, s.run_id, s.is_run from doomed d, lateral (${childrenOf('d.id', 'd.task_id')}) s
    )`
  for (let known: string | undefined; ;) {
    await client.query(
      `${below} select r.id from doomed d join run r on r.id = d.run_id where d.is_run order by r.id for update of r`,
      values,
    )
    const { rows } = await client.query<Doomed>(
      `${below} select s.id, s.run_id, d.is_run from doomed d join strand s on s.id = d.id order by s.id
       for no key update of s`,
      values,
    )
    const found = rows.map(({ id }) => id).join()
    if (found === known) return rows
    known = found
  }
}

/** The branches or items of a strand's task, and the main lines of sub-runs that it waits for. */
function childrenOf(strand: string, task: string): string {
  return `select s.id, s.task_id, s.run_id, false as is_run from strand s
      where s.parent_id = ${strand} and s.parent_task_id = ${task}
    union all
    select s.id, s.task_id, s.run_id, true from run r join strand s on s.organization_id = r.organization_id
      and s.run_id = r.id and s.parent_id is null
    where r.parent_task_id = ${task} and r.parent_strand_id = ${strand}`
}
