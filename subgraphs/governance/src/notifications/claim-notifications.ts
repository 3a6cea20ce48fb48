import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { NOTIFICATION_COLUMNS, type NotificationRow } from './notification-row.ts'

/** Longer than a delivery may take: who claimed it and died lets it go by then. */
const LEASE_SECONDS = 60

// Of `notification n`. A place that somebody else has as well is told in the name of one of them.
const IS_GONE = `exists (select from principal p where p.organization_id = n.organization_id and p.deactivated_at is not null
    and p.id = case when n.recipient ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then n.recipient::uuid end)
  and not exists (select from notification_channel c
    left join principal p on p.organization_id = c.organization_id and p.id::text = c.owner
    where c.organization_id = n.organization_id and c.kind = n.kind and c.address = n.address
      and c.credential is not distinct from n.credential and p.deactivated_at is null)
  and not exists (select from principal p where p.organization_id = n.organization_id and n.kind = 'email'
    and p.email = n.address and p.deactivated_at is null)`

/**
 * Takes those of `ids` that are due for a delivery, by the database's clock; nobody else does for a minute. What waits for
 * them no more, since it is settled, others' turn, or they are deactivated and nobody else is told at that place, is dropped
 * instead; what waits for nobody is told all the same.
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
           else true end and not (${IS_GONE}) as waits
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
