import { Cron } from 'croner'

/** Times of a cron expression in a time zone; whole seconds. */
export interface Schedule {
  /** The first time after this one; null when none comes any more. */
  after(time: Date): Date | null
  /** The last times before this one, latest first, at most so many; none is before `from`. */
  before(time: Date, count: number, from: Date): Date[]
}

/** A schedule, or what is wrong with which part of it. */
export type ScheduleResult =
  | { readonly ok: true; readonly schedule: Schedule }
  | { readonly ok: false; readonly part: 'cron' | 'timeZone'; readonly message: string }

const LONGEST = 200
const KNOWN = 1_000
const schedules = new Map<string, ScheduleResult>()

/**
 * Reads five fields (minute, hour, day, month, weekday), six (a second before them), or `@hourly`, `@daily`, `@weekly`,
 * `@monthly`, `@yearly`. Where second, minute and hour are values (lists and ranges too), they are times of the local
 * clock: one that daylight saving leaves out comes right after the gap, one that it repeats comes the first time only.
 * With `*` or a step among them it is an interval: it goes on in real time, over gap and repetition.
 */
export function readSchedule(cron: string, timeZone: string): ScheduleResult {
  const key = `${timeZone}\n${cron}`
  const known = schedules.get(key)
  if (known) return known
  const result = parse(cron, timeZone)
  if (schedules.size >= KNOWN) schedules.clear()
  schedules.set(key, result)
  return result
}

function parse(cron: string, timeZone: string): ScheduleResult {
  if (!isTimeZone(timeZone)) {
    return { ok: false, part: 'timeZone', message: 'A time zone is an IANA name, as Europe/Berlin or UTC.' }
  }
  if (cron.length > LONGEST) return wrong(`A cron expression has at most ${LONGEST} characters.`)
  if (cron.includes('?')) return wrong('"?" stands for another time in every process: write a value or "*".')
  try {
    const job = new Cron(cron, { timezone: timeZone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' })
    if (!job.nextRun()) return wrong('No such time ever comes.')
    return { ok: true, schedule: scheduleOf(job) }
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^Cron\w+: /, '').slice(0, 300) : ''
    return wrong(`${message || 'It cannot be read'}${message.endsWith('.') ? '' : '.'}`)
  }
}

function scheduleOf(job: Cron): Schedule {
  return {
    after: (time) => job.nextRun(time),
    before(time, count, from) {
      const times: Date[] = []
      for (let at = job.previousRuns(1, time)[0]; at && at >= from && times.length < count;) {
        times.push(at)
        at = job.previousRuns(1, at)[0]
      }
      return times
    },
  }
}

/** Names only: an offset as `+02:00` knows no daylight saving, and Intl takes it too. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

const wrong = (message: string): ScheduleResult => ({ ok: false, part: 'cron', message })
