import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { BOOKING_COLUMNS, type ResourceBookingRow } from './resource-booking.ts'

/** Of which resource, and which page. */
export interface BookingsRequest extends PageArguments {
  resourceId: string
}

/** One page of a resource's bookings, those that are over too, oldest first. */
export async function listResourceBookings(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { resourceId, ...page }: BookingsRequest,
): Promise<Connection<ResourceBookingRow>> {
  const { take, afterId } = readPage(page)
  const rows = isId(resourceId)
    ? await database.readTenant<ResourceBookingRow>(
        actor,
        `select ${BOOKING_COLUMNS} from resource_booking where organization_id = $1::uuid and resource_id = $2::uuid
           and ($3::uuid is null or id > $3::uuid) order by id limit $4`,
        [actor.organizationId, resourceId, afterId, take],
      )
    : []
  return connectionOf(rows, take)
}
