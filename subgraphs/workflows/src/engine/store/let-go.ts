import type pg from 'pg'

type Held = readonly { id: string; fence: bigint }[]

const idsOf = (held: Held): unknown[] => [held.map(({ id }) => id), held.map(({ fence }) => fence)]

/** Strands of runs that are over go. */
export async function dropStrands(pool: pg.Pool, held: Held): Promise<void> {
  await pool.query(
    `delete from strand s using unnest($1::uuid[], $2::bigint[]) as x(id, fence)
     where s.id = x.id and s.fence = x.fence`,
    idsOf(held),
  )
}

/** Strands of paused runs are held until the run is resumed. An attempt whose worker was lost is no attempt. */
export async function parkStrands(pool: pg.Pool, held: Held): Promise<void> {
  await pool.query(
    // Resumed at this moment: seen under the lock that an act of control waits for, else it were held for good.
    `with locked as materialized (
       select x.id, x.fence, s.organization_id, s.task_id, r.status = 'paused' as paused from unnest($1::uuid[], $2::bigint[]) as x(id, fence)
       join strand s on s.id = x.id and s.fence = x.fence
       join run r on r.id = s.run_id and r.organization_id is not distinct from s.organization_id
       order by r.id for key share of r
     ), back as (
       update task t set status = 'ready', attempt = greatest(t.attempt - 1, 0) from locked x
       where t.id = x.task_id and t.organization_id is not distinct from x.organization_id and t.status = 'running'
     )
     update strand s set status = case when x.paused then 'held' else 'ready' end,
       due_at = case when not x.paused then clock_timestamp() end, claim_id = null, fence = s.fence + 1
     from locked x where s.id = x.id and s.fence = x.fence`,
    idsOf(held),
  )
}
