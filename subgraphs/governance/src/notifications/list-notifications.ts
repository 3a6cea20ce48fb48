import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { findable } from '../input/text.ts'
import { NOTIFICATION_COLUMNS, type NotificationRow, type NotificationStatus } from './notification-row.ts'

/** Which tellings; what is not given is any. */
export interface NotificationFilter {
  status?: NotificationStatus | undefined
  /** As escalation/<id> or approval/<id>. */
  subject?: string | null | undefined
}

/** One page of what was told to whom, newest first. */
export async function listNotifications(
  { database }: DomainServices,
  actor: Actor,
  { status, subject, ...page }: PageArguments & NotificationFilter,
): Promise<Connection<NotificationRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<NotificationRow>(
    actor,
    `select ${NOTIFICATION_COLUMNS} from notification
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or status = $3)
       and ($4::text is null or subject = $4)
     order by id desc limit $5`,
    [actor.organizationId, afterId, status ?? null, subject == null ? null : findable(subject), take],
  )
  return connectionOf(rows, take)
}
