import type { Database } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { recordEvents } from '../runs/control/record-events.ts'
import { recordedActor } from '../runs/control/recorded-actor.ts'
import { aboutContainment, type ContainmentRow } from './containment-row.ts'
import { releaseContained } from './release-contained.ts'
import { stopWork } from './stop-work.ts'

interface OpenOrder extends Pick<ContainmentRow, 'id' | 'scope' | 'targetId'> {
  organizationId: string
  orderedBy: unknown
  lifted: boolean
  released: boolean
  sealed: boolean
  stopped: boolean
  /** A moment at which the order was to be seen, text. */
  seen: string
}

/**
 * One look of a worker at all orders to stop. What slipped by is fenced off; an order is sealed once every statement that
 * may not have seen it is over; its end is noted once every stop is proven; and what a lifted one held is let go, should
 * its lifter have died meanwhile. Any number of workers may look at once.
 */
export async function proveStops({ database, log }: { database: Database; log: Log }): Promise<boolean> {
  const pool = database.pool('worker')
  const { rows } = await pool.query<OpenOrder>(
    `select organization_id as "organizationId", id, scope, target_id as "targetId", ordered_by as "orderedBy",
       lifted_at is not null as lifted, released_at is not null as released, sealed_at is not null as sealed,
       stopped_at is not null as stopped, clock_timestamp()::text as seen
     from containment where stopped_at is null or released_at is null order by organization_id, id`,
  )
  let released = false
  for (const order of rows) {
    try {
      released = (await look(database, order)) || released
    } catch (error) {
      log.warn({ err: error, containmentId: order.id }, 'an order to stop could not be looked at')
    }
  }
  return released
}

/** True when it let strands go. */
async function look(database: Database, order: OpenOrder): Promise<boolean> {
  const actor = recordedActor(order.organizationId, order.orderedBy)
  if (order.lifted && !order.released) await releaseContained(database, actor, order)
  if (!order.lifted || !order.sealed) {
    // First who may not have seen it, then what they left: the other way round something could begin between.
    const settled = !order.sealed && (await isSettled(database, actor, order.seen))
    const slipped = await stopWork(database, actor, order)
    if (settled && slipped === 0) await seal(database, actor, order)
  }
  if (!order.stopped) await prove(database, actor, order)
  return order.lifted && !order.released
}

const SETTLED = `select not exists (select from pg_stat_activity where usename = current_user
  and datname = current_database() and pid <> pg_backend_pid() and xact_start <= $1::timestamptz) as settled`

/**
 * Whether every transaction that began before this moment has ended, of those in which work can begin: the workers', and
 * the API's, where a start takes its first step at once. Of another role's, PostgreSQL does not tell.
 */
async function isSettled(database: Database, actor: Actor, seen: string): Promise<boolean> {
  const { rows: workers } = await database.pool('worker').query<{ settled: boolean }>(SETTLED, [seen])
  if (!workers[0]?.settled) return false
  const [api] = await database.readTenant<{ settled: boolean }>(actor, SETTLED, [seen])
  return api?.settled ?? false
}

async function seal(database: Database, actor: Actor, { id }: OpenOrder): Promise<void> {
  await database.transact(actor, (client) =>
    client.query(
      `update containment set sealed_at = clock_timestamp()
       where organization_id = $1 and id = $2 and sealed_at is null`,
      [actor.organizationId, id],
    ),
  )
}

/**
 * A stop is proven by its worker's word, or by the end of the lease it held: no answer is accepted since the fence moved,
 * and by then the worker has given up by its own clock. The order's end is the last of them.
 */
async function prove(database: Database, actor: Actor, order: OpenOrder): Promise<void> {
  const proven = await database.transact(actor, async (client) => {
    const { rows } = await client.query<{ stopped_at: Date }>(
      `update containment c set stopped_at = greatest(c.ordered_at, (
         select max(least(s.acknowledged_at, s.lease_end)) from containment_stop s
         where s.organization_id = c.organization_id and s.containment_id = c.id))
       where c.organization_id = $1 and c.id = $2 and c.sealed_at is not null and c.stopped_at is null
         and not exists (select from containment_stop s where s.organization_id = c.organization_id
           and s.containment_id = c.id and s.acknowledged_at is null and s.lease_end > clock_timestamp())
       returning stopped_at`,
      [actor.organizationId, order.id],
    )
    const [row] = rows
    if (!row) return false
    const { subject, data } = aboutContainment(order)
    await recordEvents(client, actor, [
      { type: 'containment.stopped', subject, data: { ...data, stoppedAt: row.stopped_at.toISOString() } },
    ])
    return true
  })
  if (proven) database.announce()
}
