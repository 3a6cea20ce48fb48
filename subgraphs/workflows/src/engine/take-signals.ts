import type pg from 'pg'

/**
 * Gives signals that nobody took to strands that wait for them: the oldest of a name to the wait that began first, one
 * each. To be called after waits began and after a signal came, and now and then for what fell between; a repeat changes
 * nothing. Whether a run is paused is read under the lock that an act of control waits for, else the strand of one that is
 * resumed at this moment were held for good. Answers with the strands it woke.
 */
export async function takeSignals(
  client: Pick<pg.ClientBase, 'query'>,
  strands: readonly { organizationId: string; id: string }[],
): Promise<string[]> {
  if (strands.length === 0) return []
  const { rows } = await client.query<{ id: string }>({
    name: 'engine-take-signals',
    text: `with waiting as materialized (
       select s.organization_id, s.id, s.run_id, s.task_id, t.node_id, r.status = 'paused' as paused,
         substr(s.wait_key, 8) as name
       from unnest($1::uuid[], $2::uuid[]) as x(o, id)
       join strand s on s.id = x.id and s.organization_id is not distinct from x.o
       join task t on t.id = s.task_id and t.organization_id is not distinct from s.organization_id
       join run r on r.id = s.run_id and r.organization_id is not distinct from s.organization_id
       where s.status = 'waiting' and s.wait_key like 'signal:%'
       order by r.id, s.id for key share of r for no key update of s
     ), sent as materialized (
       select g.organization_id, g.id, g.run_id, g.name, g.payload
       from (select distinct organization_id, run_id, name from waiting) w
       join run_signal g on g.organization_id = w.organization_id and g.run_id = w.run_id and g.name = w.name
         and g.taken_at is null
       order by g.id for no key update of g
     ), pair as materialized (
       select w.organization_id, w.id, w.node_id, w.paused, g.id as signal, g.payload
       from (select *, row_number() over (partition by run_id, name order by task_id) as turn from waiting) w
       join (select *, row_number() over (partition by run_id, name order by id) as turn from sent) g
         on g.run_id = w.run_id and g.name = w.name and g.turn = w.turn
     ), taken as (
       update run_signal g set taken_at = clock_timestamp() from pair p
       where g.organization_id = p.organization_id and g.id = p.signal
     )
     update strand s set status = case when p.paused then 'held' else 'ready' end,
       due_at = case when not p.paused then clock_timestamp() end,
       resume = jsonb_build_object('type', 'wait_over', 'node', p.node_id, 'payload', p.payload),
       wait_key = null, fence = s.fence + 1
     from pair p
     where s.id = p.id and s.organization_id is not distinct from p.organization_id
     returning s.id`,
    values: [strands.map(({ organizationId }) => organizationId), strands.map(({ id }) => id)],
  })
  return rows.map((row) => row.id)
}
