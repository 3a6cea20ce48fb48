import type { Database } from '@tutti/prisma'
import { CHECKPOINT_COLUMNS, checkpointLine, checkpointOf, type CheckpointRow } from './checkpoint.ts'

const AT_ONCE = 500

/**
 * Hands checkpoints that are only in the database yet to `write`, in order, as lines of JSON; what it does not throw at is
 * outside. After a crash in between they are written again, the same. Answers with how many there were.
 */
export async function publishCheckpoints(
  database: Database,
  write: (lines: string) => Promise<void>,
): Promise<number> {
  const pool = database.pool('sealer')
  const { rows } = await pool.query<CheckpointRow>(
    `select ${CHECKPOINT_COLUMNS} from audit_checkpoint where published_at is null
     order by organization_id, number limit ${AT_ONCE}`,
  )
  if (rows.length === 0) return 0
  await write(rows.map((row) => checkpointLine(checkpointOf(row))).join(''))
  await pool.query(
    `update audit_checkpoint c set published_at = clock_timestamp() from unnest($1::uuid[], $2::int[]) as p(o, n)
     where c.organization_id = p.o and c.number = p.n`,
    [rows.map(({ organizationId }) => organizationId), rows.map(({ number }) => number)],
  )
  return rows.length
}
