import type { Database } from '@tutti/prisma'
import type { Services } from '../context.ts'
import { type DueFiring, settleFirings, startFirings, tellLater } from './start-firings.ts'

/** Firings that one look takes at most. */
export const MOST_FIRINGS = 100

/**
 * Starts the runs of firings whose time has come, of every tenant in turn. Who takes one keeps it for 15 s, the next time
 * twice as long, at most 5 min: whoever dies or fails meanwhile, somebody takes it again after that. Answers with how many
 * it took: look again when it is {@link MOST_FIRINGS}. `now` stands for the database's clock.
 */
export async function startDueFirings(
  services: Pick<Services, 'database' | 'wake' | 'log'>,
  now: Date | null = null,
): Promise<number> {
  const firings = await claimFirings(services.database, now)
  if (firings.length === 0) return 0
  const outcomes = await startFirings(services, firings)
  tellLater(services, outcomes)
  await settleFirings(services.database.pool('worker'), outcomes)
  services.database.announce()
  return firings.length
}

/** Takes due firings for some seconds, tenant by tenant. */
export async function claimFirings(database: Database, now: Date | null): Promise<DueFiring[]> {
  const { rows } = await database.pool('worker').query<DueFiring>({
    name: 'trigger-claim',
    text: `with candidate as materialized (
       select f.organization_id, f.id, f.due_at from trigger_firing f
       where f.due_at <= (select coalesce($1::timestamptz, clock_timestamp())) order by f.due_at limit ${MOST_FIRINGS * 10}
     ), ranked as (
       select *, row_number() over (partition by organization_id order by due_at, id) as turn from candidate
     ), mine as materialized (
       select f.organization_id, f.id, f.trigger_id from (select * from ranked order by turn, due_at, id limit ${MOST_FIRINGS}) x
       join trigger_firing f on f.organization_id = x.organization_id and f.id = x.id
         and f.due_at <= (select coalesce($1::timestamptz, clock_timestamp()))
       for update of f skip locked
     )
     update trigger_firing f set attempts = f.attempts + 1, due_at = coalesce($1::timestamptz, clock_timestamp())
       + least(15 * 2 ^ least(f.attempts, 10), 300) * interval '1 second'
     from mine m join trigger t on t.organization_id = m.organization_id and t.id = m.trigger_id
     where f.organization_id = m.organization_id and f.id = m.id
     returning f.organization_id as "organizationId", f.id, f.trigger_id as "triggerId", t.name,
       t.workflow_id as "workflowId", t.priority, f.occurrence, f.input, f.fired_by as "firedBy", f.attempts`,
    values: [now],
  })
  return rows
}

/** Milliseconds until a schedule or a firing is due, on the database's clock; null when none is to come. */
export async function untilNextFiring(database: Database): Promise<number | null> {
  const { rows } = await database.pool('worker').query<{ ms: number | null }>({
    name: 'trigger-next',
    text: `select extract(epoch from least(
         (select min(t.next_at) from trigger t where t.next_at is not null),
         (select min(f.due_at) from trigger_firing f where f.due_at is not null)
       ) - clock_timestamp())::float8 * 1000 as ms`,
  })
  return rows[0]?.ms ?? null
}
