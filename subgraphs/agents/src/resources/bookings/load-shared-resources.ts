import { isId } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { BOOKING_COLUMNS, IS_LIVE, type ResourceBookingRow } from './resource-booking.ts'
import { RESOURCE_COLUMNS, type SharedResourceRow } from './shared-resource.ts'

/** Shared resources by id. */
export async function loadSharedResources(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SharedResourceRow>> {
  const rows = await database.readTenant<SharedResourceRow>(
    actor,
    `select ${RESOURCE_COLUMNS} from shared_resource where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Bookings by id. */
export async function loadResourceBookings(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ResourceBookingRow>> {
  const rows = await database.readTenant<ResourceBookingRow>(
    actor,
    `select ${BOOKING_COLUMNS} from resource_booking where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** What of resources is not over, by resource: in line first who is served first. */
export async function loadLiveBookings(
  { database, actor }: Context,
  resourceIds: readonly string[],
): Promise<ReadonlyMap<string, ResourceBookingRow[]>> {
  const rows = await database.readTenant<ResourceBookingRow>(
    actor,
    `select ${BOOKING_COLUMNS} from resource_booking
     where organization_id = $1::uuid and resource_id = any($2::uuid[]) and ${IS_LIVE} order by order_at, place`,
    [actor.organizationId, resourceIds.filter(isId)],
  )
  return Map.groupBy(rows, ({ resourceId }) => resourceId)
}
