import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { NOTIFICATION_COLUMNS, type NotificationRow } from './notification-row.ts'

/** Longer than a delivery may take: who claimed it and died lets it go by then. */
const LEASE_SECONDS = 60

/**
 * Takes those of `ids` that are due for a delivery, by the database's clock; nobody else does for a minute. What waits for
 * them no more, since it is settled or others' turn, is dropped instead; what waits for nobody is told all the same.
 */
export async function claimNotifications(
  { database }: DomainServices,
  actor: Actor,
  ids: readonly string[],
): Promise<NotificationRow[]> {
  return database.inTenant(actor, async (tx) => {
    const claimed = await tx.sql<NotificationRow & { waits: boolean }>(
      `with due as (
         select id as due_id from notification where organization_id = $1::uuid and id = any($2::uuid[])
           and status = 'pending' and next_at <= clock_timestamp() order by id for no key update skip locked),
       judged as (
         select due_id, case split_part(n.subject, '/', 1)
           when 'escalation' then exists (select from escalation e where e.organization_id = n.organization_id
             and e.id = split_part(n.subject, '/', 2)::uuid and e.turn = n.turn and e.status <> 'resolved')
           when 'approval' then exists (select from approval a where a.organization_id = n.organization_id
             and a.id = split_part(n.subject, '/', 2)::uuid and a.round * 100 + a.stage = n.turn
             and a.status = 'pending')
           else true end as waits
         from due join notification n on n.organization_id = $1::uuid and n.id = due_id)
       update notification set attempts = attempts + 1,
         status = case when waits then 'pending' else 'dropped' end,
         next_at = clock_timestamp() + make_interval(secs => $3::float8)
       from judged where organization_id = $1::uuid and id = due_id
       returning ${NOTIFICATION_COLUMNS}, waits`,
      actor.organizationId,
      ids.filter(isId),
      LEASE_SECONDS,
    )
    return claimed.filter(({ waits }) => waits)
  })
}
