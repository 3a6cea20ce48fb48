import { createHash } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import { v7 as uuidv7 } from 'uuid'
import { chunkBySize } from './chunk-by-size.ts'
import { insertFirings, type NewFiring } from './insert-firings.ts'
import { makeFiring } from './make-firing.ts'
import { planDue } from './plan-due.ts'
import { readSchedule } from './schedule.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** Schedules that one look takes at most. */
export const MOST_SCHEDULES = 100

/**
 * Notes the firings of schedules whose time has come, and their next time, in one transaction: whoever dies in it leaves
 * everything as it was. Several may do so at once: a schedule's time is noted by who finds it still to come, once. Answers
 * with how many were due: look again when it is {@link MOST_SCHEDULES}. Throws when some could not be written; the others were. `now` stands for the database's clock.
 */
export async function scheduleDueTriggers(database: Database, now: Date | null = null): Promise<number> {
  const due = await database.pool('worker').query<TriggerRow & { now: Date }>({
    name: 'trigger-due',
    text: `select ${TRIGGER_COLUMNS}, coalesce($1::timestamptz, clock_timestamp()) as now from trigger t
      where t.next_at <= (select coalesce($1::timestamptz, clock_timestamp())) order by t.next_at limit ${MOST_SCHEDULES}`,
    values: [now],
  })
  if (due.rows.length === 0) return 0
  // What takes long is done before anything is locked.
  const plans = due.rows.map((row) => planOf(row, row.now))
  try {
    await writePlans(database, plans)
  } catch (error) {
    if (plans.length === 1) throw error
    // One that cannot be written holds up no other.
    const written = await Promise.allSettled(plans.map((plan) => writePlans(database, [plan])))
    const failed = written.filter((each) => each.status === 'rejected')
    if (failed.length > 0)
      throw new AggregateError(
        failed.map(({ reason }) => reason),
        'Some schedules were not noted.',
      )
  } finally {
    database.announce()
  }
  return due.rows.length
}

interface SchedulePlan {
  row: TriggerRow
  firings: NewFiring[]
  next: Date | null
}

async function writePlans(database: Database, plans: readonly SchedulePlan[]): Promise<void> {
  const client = await database.pool('worker').connect()
  let failed = true
  try {
    await client.query('begin')
    const { rows } = await client.query<{ id: string }>(
      `select t.id from jsonb_to_recordset($1::jsonb) as x(o uuid, id uuid, was timestamptz, updated timestamptz)
       join trigger t on t.organization_id = x.o and t.id = x.id
       where t.next_at = x.was and t.updated_at = x.updated order by t.id for update of t skip locked`,
      [
        JSON.stringify(
          plans.map(({ row }) => ({
            o: row.organizationId,
            id: row.id,
            was: row.nextAt,
            updated: row.updatedAt,
          })),
        ),
      ],
    )
    const ours = new Set(rows.map(({ id }) => id))
    const mine = plans.filter(({ row }) => ours.has(row.id))
    const firings = mine.flatMap((plan) => plan.firings)
    for (const chunk of chunkBySize(firings, ({ input }) => input)) await insertFirings(client, chunk)
    await client.query(
      `update trigger t set next_at = x.next from jsonb_to_recordset($1::jsonb) as x(o uuid, id uuid, next timestamptz)
       where t.organization_id = x.o and t.id = x.id`,
      [JSON.stringify(mine.map(({ row, next }) => ({ o: row.organizationId, id: row.id, next })))],
    )
    await client.query('commit')
    failed = false
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

function planOf(row: TriggerRow, now: Date): SchedulePlan {
  const from = row.nextAt ?? now
  const read = readSchedule(row.cron ?? '', row.timeZone ?? '')
  if (!read.ok) {
    // The rules of time zones change under what was stored.
    const error = { code: 'TRIGGER_SCHEDULE_INVALID', message: read.message }
    return { row, firings: [firingOf(row, { at: from, missed: 0 }, { status: 'failed', error })], next: null }
  }
  const policy = { missed: row.missed ?? 'once', catchUp: row.catchUp ?? 0 }
  const { fire, skipped, next } = planDue(read.schedule, policy, from, now)
  const firings = fire.map((time) => firingOf(row, time))
  if (skipped) firings.unshift(firingOf(row, skipped, { status: 'skipped' }))
  return { row, firings, next }
}

function firingOf(
  row: TriggerRow,
  { at, missed }: { at: Date; missed: number },
  instead: Partial<NewFiring> = {},
): NewFiring {
  const scheduledAt = at.toISOString()
  const made = makeFiring(row, scheduledAt, scheduledAt)
  return {
    organizationId: row.organizationId,
    id: uuidv7(),
    triggerId: row.id,
    status: made.error === null ? 'pending' : 'failed',
    ...made,
    scheduledAt,
    missed,
    dueAt: new Date(at.getTime() + jitterOf(row, scheduledAt)).toISOString(),
    ...instead,
  }
}

/** The same firing is put off by the same time, whoever looks. */
function jitterOf({ id, jitterMs }: TriggerRow, occurrence: string): number {
  if (jitterMs === 0) return 0
  const chance = createHash('sha256').update(`${id}/${occurrence}`).digest().readUInt32BE() / 2 ** 32
  return Math.floor(chance * jitterMs)
}
