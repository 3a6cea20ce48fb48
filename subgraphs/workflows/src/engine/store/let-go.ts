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

/** Strands of paused runs are held until the run is resumed. */
export async function parkStrands(pool: pg.Pool, held: Held): Promise<void> {
  await pool.query(
    `update strand s set status = 'held', due_at = null, claim_id = null, fence = s.fence + 1
     from unnest($1::uuid[], $2::bigint[]) as x(id, fence) where s.id = x.id and s.fence = x.fence`,
    idsOf(held),
  )
}
