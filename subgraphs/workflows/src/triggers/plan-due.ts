import type { Schedule } from './schedule.ts'

/** What becomes of times at which no scheduler was there. */
export interface MissedPolicy {
  missed: 'skip' | 'once' | 'all'
  /** With `all`: the latest so many of the missed ones fire. */
  catchUp: number
}

/** What is due now. */
export interface DuePlan {
  /** Oldest first. `missed`: how many other missed times it stands for. */
  fire: { at: Date; missed: number }[]
  /** Missed times of which nothing comes: the latest, and how many there were besides it. */
  skipped: { at: Date; missed: number } | null
  /** The schedule's next time; null when none comes any more. */
  next: Date | null
}

/** A time counts as missed when nobody fired it for so long, milliseconds; schedulers look several times within it. */
export const GRACE_MS = 60_000
/** Missed times are counted up to this many. */
export const MOST_COUNTED = 1_000

/**
 * Sorts a schedule's times in `[from, now]` into those that fire and those that were missed, by the policy. `from` is the
 * next time it was waiting for. Every time of the schedule is in exactly one plan, whoever makes the plans and when.
 */
export function planDue(schedule: Schedule, policy: MissedPolicy, from: Date, now: Date): DuePlan {
  // The plan's times are `from` and what follows: asking for what comes after a second before `from` gives it itself.
  const lateBefore = new Date(now.getTime() - GRACE_MS)
  const onTime = timesAfter(schedule, new Date(Math.max(lateBefore.getTime(), from.getTime() - 1_000)), now)
  const plan: DuePlan = {
    fire: onTime.map((at) => ({ at, missed: 0 })),
    skipped: null,
    next: schedule.after(now),
  }
  if (from.getTime() > lateBefore.getTime()) return plan
  // One second on, so that a time exactly at the border is among the late ones, as it is not among those on time.
  const border = new Date(Math.floor(lateBefore.getTime() / 1_000) * 1_000 + 1_000)
  const late = schedule.before(border, MOST_COUNTED + 1, from)
  const [latest] = late
  if (!latest) return plan
  switch (policy.missed) {
    case 'skip':
      plan.skipped = { at: latest, missed: late.length - 1 }
      break
    case 'once':
      plan.fire.unshift({ at: latest, missed: late.length - 1 })
      break
    case 'all': {
      plan.fire.unshift(
        ...late
          .slice(0, policy.catchUp)
          .toReversed()
          .map((at) => ({ at, missed: 0 })),
      )
      const tooOld = late.slice(policy.catchUp)
      if (tooOld[0]) plan.skipped = { at: tooOld[0], missed: tooOld.length - 1 }
      break
    }
  }
  return plan
}

function timesAfter(schedule: Schedule, start: Date, until: Date): Date[] {
  const times: Date[] = []
  for (let at = schedule.after(start); at && at.getTime() <= until.getTime(); at = schedule.after(at))
    times.push(at)
  return times
}
