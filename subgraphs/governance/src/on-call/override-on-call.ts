import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { personOf } from './person-of.ts'
import { recordOnCallChange } from './record-on-call-change.ts'
import { OVERRIDE_COLUMNS, type OverrideRow } from './schedule-row.ts'

const LONGEST_MS = 366 * 86_400_000

const inputSchema = z
  .object({
    scheduleId: z.string(),
    person: line(),
    from: z.date(),
    until: z.date(),
    reason: prose().nullish(),
  })
  .superRefine(({ from, until }, check) => {
    const length = until.getTime() - from.getTime()
    if (length <= 0)
      check.addIssue({ code: 'custom', path: ['until'], message: 'Must be after its beginning.' })
    if (length > LONGEST_MS) check.addIssue({ code: 'custom', path: ['until'], message: 'At most a year.' })
  })

/**
 * Puts somebody on call for a time, whoever's turn it is; of several the last one holds. Events: on_call.changed. Audit: a
 * decision. NOT_FOUND for an unknown schedule or an id of nobody, BAD_INPUT with all mistakes.
 */
export async function overrideOnCall(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<OverrideRow> {
  const { scheduleId, person: personId, from, until, reason } = parseInput(inputSchema, input)
  if (!isId(scheduleId)) fail('NOT_FOUND', { path: 'input.scheduleId' })
  return database.inTenant(actor, async (tx) => {
    const [schedule] = await tx.sql<{ id: string; name: string }>(
      'select id, name from on_call_schedule where organization_id = $1::uuid and id = $2::uuid for key share',
      actor.organizationId,
      scheduleId,
    )
    if (!schedule) fail('NOT_FOUND', { path: 'input.scheduleId' })
    const person = await personOf(tx, personId, 'input.person')
    const [row] = await tx.sql<OverrideRow>(
      `insert into on_call_override (organization_id, schedule_id, person_id, starts_at, ends_at, reason, set_by)
       values ($1::uuid, $2::uuid, $3, $4::timestamptz, $5::timestamptz, $6, $7::jsonb) returning ${OVERRIDE_COLUMNS}`,
      actor.organizationId,
      scheduleId,
      personId,
      from,
      until,
      reason ?? null,
      JSON.stringify(actorRef(actor)),
    )
    if (!row) throw new Error('An insert answered with no row.')
    await recordOnCallChange(
      tx,
      schedule,
      'overridden',
      { person, from, until, reason: reason ?? null },
      row.id,
    )
    return row
  })
}
