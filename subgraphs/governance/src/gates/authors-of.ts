import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'

/** As many as a question names. */
export const MOST_AUTHORS = 100
/** The nearest first: those above and below, and those they were forked from. */
const MOST_RUNS = 2_000
/** Of one run or trigger; with a limit each is looked up by its index. */
const MOST_EVENTS = 1_000

const AUTHORS = `with recursive near as (
    select r.id, r.parent_run_id, r.forked_from_id, r.trigger_id, r.started_by from run r
    where r.organization_id = $1 and r.id = $2
    union
    select next.* from near n cross join lateral (
      select r.id, r.parent_run_id, r.forked_from_id, r.trigger_id, r.started_by from run r
      where r.organization_id = $1 and r.id = any(array[n.parent_run_id, n.forked_from_id])
      union all
      select r.id, r.parent_run_id, r.forked_from_id, r.trigger_id, r.started_by from task t
      join run r on r.organization_id = $1 and r.parent_task_id = t.id
      where t.organization_id = $1 and t.run_id = n.id and t.kind = 'workflow') next),
  concerned as materialized (select * from near limit ${MOST_RUNS}),
  hands as (
    select 1 as rank, c.started_by as person from concerned c
    union all
    select 2, e.actor from concerned c cross join lateral (
      select actor from log.event where organization_id = $1 and run_id = c.id and (type in ('run.signalled', 'run.forked')
        or (type = 'task.controlled' and data->>'action' in ('complete', 'retry', 'skip', 'cancel', 'reassign'))) limit ${MOST_EVENTS}) e
    union all
    select 3, e.actor from (select distinct trigger_id from concerned where trigger_id is not null) c cross join lateral (
      select actor from log.event where organization_id = $1 and run_id is null and subject = 'trigger/' || c.trigger_id
        and type = 'trigger.changed' and data->>'change' in ('created', 'updated') limit ${MOST_EVENTS}) e
    union all
    select 4, b.claimed_by from concerned c
    join task t on t.organization_id = $1 and t.run_id = c.id
    join board_item b on b.organization_id = $1 and b.task_id = t.id and b.status = 'completed'
    union all
    select 5, jsonb_build_object('kind', 'person', 'id', said.id) from concerned c
    join approval a on a.organization_id = $1 and a.run_id = c.id and a.task_id is distinct from $3::uuid
    join approval_decision d on d.organization_id = $1 and d.approval_id = a.id and d.final_arguments is not null
    cross join lateral (values (d.person_id), (d.on_behalf_of_id)) said (id) where said.id is not null
    union all
    select 6, jsonb_build_object('kind', 'person', 'id', wrote.id) from concerned c
    join approval a on a.organization_id = $1 and a.run_id = c.id and a.round > 1
    cross join lateral unnest(a.authors) wrote (id))
  select person->>'id' as id from hands where person->>'kind' = 'person'
  group by 1 order by min(rank), 1 limit ${MOST_AUTHORS}`

/**
 * The people who had a hand in what a run does things with, by id, at most 100: who started or forked it or those above, signalled
 * it, did, retried, ended or gave to another agent a step by hand or took it from the board, approved other arguments of another step, or wrote the trigger
 * that started it; of the runs below it too, and of those it goes on from.
 */
export async function authorsOf(
  { database }: Pick<DomainServices, 'database'>,
  actor: Actor,
  runId: string,
  taskId: string | null,
): Promise<string[]> {
  const rows = await database.readTenant<{ id: string }>(actor, AUTHORS, [
    actor.organizationId,
    runId,
    taskId,
  ])
  return rows.map(({ id }) => id)
}
