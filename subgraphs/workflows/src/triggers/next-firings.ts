import { fail } from '@tutti/schema'
import { readSchedule } from './schedule.ts'
import type { TriggerRow } from './trigger-row.ts'

const MOST = 100

/** The next times of a trigger's schedule, as it stands; none for one that is paused or goes by no schedule. */
export function nextFirings({ cron, timeZone, nextAt }: TriggerRow, first = 5): Date[] {
  if (first < 1 || first > MOST) fail('BAD_INPUT', { path: 'first', message: `Ask for 1 to ${MOST} times.` })
  const read = cron !== null && timeZone !== null ? readSchedule(cron, timeZone) : null
  if (!read?.ok || nextAt === null) return []
  const times: Date[] = []
  for (let at: Date | null = nextAt; at && times.length < first; at = read.schedule.after(at)) times.push(at)
  return times
}
