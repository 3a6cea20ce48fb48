import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import { personOf } from './person-of.ts'
import { recordOnCallChange } from './record-on-call-change.ts'
import { SCHEDULE_COLUMNS, type ScheduleRow } from './schedule-row.ts'

const inputSchema = z.object({
  name: line(),
  timeZone: line().refine(isTimeZone, 'No time zone, as Europe/Berlin.'),
  participants: z.array(line()).min(1, 'At least one.').max(100, 'At most 100.'),
  length: z.int('A whole number.').min(1, 'At least 1.').max(366, 'At most 366.'),
  unit: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['day', 'hour'], { error: 'DAY or HOUR.' })),
  handoffTime: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'A time as 09:00.'),
  startsOn: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, 'A date as 2026-11-21.')
    .refine(isDate, 'There is no such date.'),
})

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0)
    return true
  } catch {
    return false
  }
}

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/**
 * Says who takes turns at being on call; a schedule of this name is replaced, its overrides stay. Events:
 * on_call.changed. Audit: a decision. BAD_INPUT with all mistakes, NOT_FOUND for an id of nobody.
 */
export async function setOnCallSchedule(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<ScheduleRow> {
  const given = parseInput(inputSchema, input)
  const { name, timeZone, participants, length, unit, handoffTime, startsOn } = given
  return database.inTenant(actor, async (tx) => {
    for (const [index, id] of participants.entries()) await personOf(tx, id, `input.participants.${index}`)
    const [row] = await tx.sql<ScheduleRow>(
      `insert into on_call_schedule (organization_id, name, time_zone, participants, length, unit, handoff_time,
         starts_on, set_by)
       values ($1::uuid, $2, $3, array(select jsonb_array_elements_text($4::jsonb)), $5::int, $6, $7, $8, $9::jsonb)
       on conflict (organization_id, name) do update set time_zone = excluded.time_zone,
         participants = excluded.participants, length = excluded.length, unit = excluded.unit,
         handoff_time = excluded.handoff_time, starts_on = excluded.starts_on, set_by = excluded.set_by,
         updated_at = now()
       returning ${SCHEDULE_COLUMNS}`,
      actor.organizationId,
      name,
      timeZone,
      JSON.stringify(participants),
      length,
      unit,
      handoffTime,
      startsOn,
      JSON.stringify(actorRef(actor)),
    )
    if (!row) throw new Error('An insert answered with no row.')
    await recordOnCallChange(tx, row, 'set', given)
    return row
  })
}
