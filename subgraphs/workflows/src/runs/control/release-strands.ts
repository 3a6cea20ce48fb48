import type pg from 'pg'

/**
 * Lets held strands of these runs go on, if nothing holds them any more: not a pause, not an order to stop, not the
 * bound of their map. Their place in the queue is their run's. Repeating it changes nothing.
 */
export async function releaseStrands(
  client: Pick<pg.ClientBase, 'query'>,
  organizationId: string,
  runIds: readonly string[],
): Promise<number> {
  const { rowCount } = await client.query(
    `with held as materialized (
       select s.id, s.parent_id, s.position, s.task_id is not null as begun, p.width,
         greatest(r.created_at - s.priority * interval '1 hour', r.start_at) as due
       from strand s
       join run r on r.organization_id = s.organization_id and r.id = s.run_id and r.status <> 'paused'
       left join strand p on p.organization_id = s.organization_id and p.id = s.parent_id
       where s.organization_id = $1 and s.run_id = any($2::uuid[]) and s.status = 'held'
         and not tutti_contained(s.organization_id, s.workflow_id, s.agent_id, s.run_id)
     ), room as materialized (
       select h.parent_id, h.width - (select count(*) from strand c where c.organization_id = $1
         and c.parent_id = h.parent_id and (c.status <> 'held' or c.task_id is not null)) as n
       from (select distinct parent_id, width from held where width is not null) h
     ), turns as (
       select h.id, h.due, h.begun or h.width is null or row_number() over (partition by h.parent_id, h.begun
         order by h.position) <= (select n from room where room.parent_id = h.parent_id) as goes
       from held h
     )
     update strand s set status = 'ready', due_at = t.due from turns t
     where s.organization_id = $1 and s.id = t.id and s.status = 'held' and t.goes`,
    [organizationId, runIds],
  )
  return rowCount ?? 0
}
