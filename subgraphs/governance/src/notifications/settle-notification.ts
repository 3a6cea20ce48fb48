import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { NotificationRow } from './notification-row.ts'

const MOST_ATTEMPTS = 10
const FIRST_WAIT_SECONDS = 5
const LONGEST_WAIT_SECONDS = 3_600

/** How a delivery ended; `final`: trying again would not help. */
export type Delivery = { ok: true } | { ok: false; message: string; final?: boolean }

/**
 * Writes down how a claimed delivery ended: it is done, tried again after a wait that doubles, or given up after ten
 * attempts. Events: notification.delivered or notification.failed.
 */
export async function settleNotification(
  { database }: DomainServices,
  actor: Actor,
  { id, subject, kind, attempts }: NotificationRow,
  delivery: Delivery,
): Promise<void> {
  const over = !delivery.ok && (delivery.final === true || attempts >= MOST_ATTEMPTS)
  const status = delivery.ok ? 'delivered' : over ? 'failed' : 'pending'
  const message = delivery.ok ? null : delivery.message.replaceAll('\0', '').slice(0, 1_000).toWellFormed()
  const wait = Math.min(FIRST_WAIT_SECONDS * 2 ** (attempts - 1), LONGEST_WAIT_SECONDS)
  await database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql(
      `update notification set status = $3, last_error = $4,
         delivered_at = case when $3 = 'delivered' then now() end,
         next_at = clock_timestamp() + make_interval(secs => $5::float8)
       where organization_id = $1::uuid and id = $2::uuid and status = 'pending' returning id`,
      actor.organizationId,
      id,
      status,
      message,
      wait,
    )
    if (!row || status === 'pending') return
    const data = { notificationId: id, about: subject, kind, attempts }
    const about = `notification/${id}`
    await tx.appendEvent(
      message === null
        ? { type: 'notification.delivered', subject: about, data }
        : { type: 'notification.failed', subject: about, data: { ...data, message } },
    )
  })
}
