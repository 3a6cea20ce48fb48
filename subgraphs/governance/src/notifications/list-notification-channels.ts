import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { CHANNEL_COLUMNS, type ChannelRow } from './channel-row.ts'

/** One page of notification channels, oldest first. */
export async function listNotificationChannels(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<ChannelRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ChannelRow>(
    actor,
    `select ${CHANNEL_COLUMNS} from notification_channel
     where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
