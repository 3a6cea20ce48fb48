import type pg from 'pg'

/**
 * Says for a worker that it has stopped what it held: call it once the work was aborted because its fence had moved.
 * What no order stopped is passed over, so a worker need not know why it lost a strand.
 */
export async function acknowledgeStop(
  pool: Pick<pg.Pool, 'query'>,
  lost: readonly { id: string; fence: bigint }[],
): Promise<void> {
  if (lost.length === 0) return
  await pool.query({
    name: 'containment-acknowledge',
    text: `update containment_stop c set acknowledged_at = clock_timestamp()
      from unnest($1::uuid[], $2::bigint[]) as x(id, fence)
      where c.strand_id = x.id and c.fence = x.fence and c.acknowledged_at is null`,
    values: [lost.map(({ id }) => id), lost.map(({ fence }) => fence)],
  })
}
