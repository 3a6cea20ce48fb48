import type { ActorRef } from '../access/actor-ref.ts'
import type { Override, Rotation } from './who-is-on-call.ts'

/** A schedule as its table keeps it. */
export interface ScheduleRow extends Rotation {
  id: string
  name: string
  participants: string[]
  setBy: ActorRef
  updatedAt: Date
}

/** {@link ScheduleRow} of the table `on_call_schedule`. */
export const SCHEDULE_COLUMNS = `id, name, time_zone as "timeZone", participants, length, unit,
  handoff_time as "handoffTime", starts_on as "startsOn", set_by as "setBy", updated_at as "updatedAt"`

/** An override as its table keeps it. */
export interface OverrideRow extends Override {
  scheduleId: string
  reason: string | null
  setBy: ActorRef
  createdAt: Date
}

/** {@link OverrideRow} of the table `on_call_override`. */
export const OVERRIDE_COLUMNS = `id, schedule_id as "scheduleId", person_id as "personId", starts_at as "startsAt",
  ends_at as "endsAt", reason, set_by as "setBy", created_at as "createdAt"`
