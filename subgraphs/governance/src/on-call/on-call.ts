import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { findable } from '../input/text.ts'
import { OVERRIDE_COLUMNS, type OverrideRow, SCHEDULE_COLUMNS, type ScheduleRow } from './schedule-row.ts'
import { type OnCall, whoIsOnCall } from './who-is-on-call.ts'

/** Runs a statement: within an operation's transaction, or alone. */
export type Read = <Row extends object>(text: string, parameters: unknown[]) => Promise<Row[]>

/** Who is on call by the schedule of a name at a moment, now by the database's clock unless given; null: no such schedule. */
export async function readOnCall(
  read: Read,
  organizationId: string,
  name: string,
  at: Date | null = null,
): Promise<OnCall | null> {
  const [schedule] = await read<ScheduleRow & { at: Date }>(
    `select ${SCHEDULE_COLUMNS}, coalesce($3::timestamptz, clock_timestamp()) as at from on_call_schedule
     where organization_id = $1::uuid and name = $2`,
    [organizationId, name, at],
  )
  if (!schedule) return null
  const overrides = await read<OverrideRow>(
    `select ${OVERRIDE_COLUMNS} from on_call_override
     where organization_id = $1::uuid and schedule_id = $2::uuid and starts_at <= $3::timestamptz
       and ends_at > $3::timestamptz order by id`,
    [organizationId, schedule.id, schedule.at],
  )
  const named = [...schedule.participants, ...overrides.map(({ personId }) => personId)].filter(isId)
  const absent = await read<{ id: string }>(
    `select id from principal where organization_id = $1::uuid and deactivated_at is not null
       and id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid))`,
    [organizationId, JSON.stringify(named)],
  )
  return whoIsOnCall(schedule, overrides, schedule.at, new Set(absent.map(({ id }) => id)))
}

/** Who is on call, as a caller asks. NOT_FOUND for an unknown schedule. */
export async function onCall(
  { database }: DomainServices,
  actor: Actor,
  { schedule, at }: { schedule: string; at?: Date | null },
): Promise<OnCall> {
  const found = await readOnCall(
    (text, parameters) => database.readTenant(actor, text, parameters),
    actor.organizationId,
    findable(schedule),
    at ?? null,
  )
  return found ?? fail('NOT_FOUND', { path: 'schedule', message: 'There is no such on-call schedule.' })
}
