import { Cron } from 'croner'

/** People take turns: `length` days from `handoffTime` to `handoffTime` on the wall's clock, or so many hours each. */
export interface Rotation {
  /** As Europe/Berlin. */
  timeZone: string
  /** Ids, at least one, in the order of their turns. */
  participants: readonly string[]
  length: number
  unit: 'day' | 'hour'
  /** As 09:00. */
  handoffTime: string
  /** As 2026-11-21: the day on which the first of them begins. */
  startsOn: string
}

/** Somebody stands in from a moment until before another. */
export interface Override {
  id: string
  personId: string
  startsAt: Date
  endsAt: Date
}

/** Who is on call, from when and until before when; `overrideId`: who stands in for whose turn it would be. */
export interface OnCall {
  personId: string
  from: Date
  until: Date
  overrideId: string | null
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/**
 * Who is on call at a moment: exactly one person, always. Of overrides that hold, the last of the list wins. Who is among
 * `absent` is passed over for the next in turn, unless all are. Turns of days
 * begin at the same time on the wall's clock, so one over a change of the clock is an hour shorter or longer; a time that
 * the clock leaves out is the moment after it, one that it shows twice is the first. Turns of hours are hours. Before the
 * first turn they are counted backwards.
 */
export function whoIsOnCall(
  rotation: Rotation,
  overrides: readonly Override[],
  at: Date,
  absent: ReadonlySet<string> = new Set(),
): OnCall {
  const override = overrides.findLast(
    ({ startsAt, endsAt, personId }) => startsAt <= at && at < endsAt && !absent.has(personId),
  )
  if (override)
    return {
      personId: override.personId,
      from: override.startsAt,
      until: override.endsAt,
      overrideId: override.id,
    }
  const turn = turnAt(rotation, at)
  const { participants } = rotation
  const first = modulo(turn, participants.length)
  const inTurn = [...participants.slice(first), ...participants.slice(0, first)]
  const personId = inTurn.find((id) => !absent.has(id)) ?? inTurn[0]
  if (personId === undefined) throw new Error('A rotation has nobody.')
  return {
    personId,
    from: beginningOf(rotation, turn),
    until: beginningOf(rotation, turn + 1),
    overrideId: null,
  }
}

/** The number of the turn that holds a moment. */
function turnAt(rotation: Rotation, at: Date): number {
  const turnMs = rotation.length * (rotation.unit === 'day' ? DAY_MS : HOUR_MS)
  // A guess that the clock's changes can put off by one.
  let turn = Math.floor((at.getTime() - beginningOf(rotation, 0).getTime()) / turnMs)
  while (beginningOf(rotation, turn) > at) turn -= 1
  while (beginningOf(rotation, turn + 1) <= at) turn += 1
  return turn
}

function beginningOf({ timeZone, startsOn, handoffTime, length, unit }: Rotation, turn: number): Date {
  if (unit === 'hour')
    return new Date(momentOf(startsOn, handoffTime, timeZone).getTime() + turn * length * HOUR_MS)
  const day = new Date(Date.parse(`${startsOn}T00:00:00Z`) + turn * length * DAY_MS)
  return momentOf(day.toISOString().slice(0, 10), handoffTime, timeZone)
}

function momentOf(day: string, time: string, timeZone: string): Date {
  const moment = new Cron(`${day}T${time}:00`, { timezone: timeZone, paused: true }).getOnce()
  if (!moment) throw new Error(`There is no such moment: ${day} ${time}.`)
  return moment
}

const modulo = (a: number, b: number): number => ((a % b) + b) % b
