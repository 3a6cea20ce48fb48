import type { TenantTransaction } from '@tutti/prisma'
import { readSchedule } from './schedule.ts'
import type { TriggerRow } from './trigger-row.ts'

/** The first time of a schedule from now on, on the database's clock; null for other kinds, or when none comes. */
export async function nextTime(
  tx: TenantTransaction,
  { cron, timeZone }: Pick<TriggerRow, 'cron' | 'timeZone'>,
): Promise<Date | null> {
  if (cron === null || timeZone === null) return null
  const read = readSchedule(cron, timeZone)
  const [row] = await tx.sql<{ now: Date }>('select clock_timestamp() as now')
  return read.ok && row ? read.schedule.after(row.now) : null
}
