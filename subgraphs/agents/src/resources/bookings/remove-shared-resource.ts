import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { lockResource } from './change-bookings.ts'
import { RESOURCE_COLUMNS, type SharedResourceRow } from './shared-resource.ts'

/** Removes a resource that nobody has or wants, with its past. NOT_FOUND, INVALID_STATE. Events: `resource.changed`. */
export async function removeSharedResource(
  { database }: { database: Database },
  actor: Actor,
  id: string,
): Promise<SharedResourceRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const { bookings, now, name, capacity } = await lockResource(tx, { id }, 'input.id')
    const live = bookings.filter(({ status, endsAt }) => status === 'queued' || (endsAt ?? 0) > now)
    if (live.length > 0)
      fail('INVALID_STATE', { path: 'input.id', message: `${live.length} have or want it.` })
    const [resource] = await tx.sql<SharedResourceRow>(
      `delete from shared_resource where organization_id = $1::uuid and id = $2::uuid returning ${RESOURCE_COLUMNS}`,
      actor.organizationId,
      id,
    )
    const data = { resourceId: id, name, capacity, change: 'removed' } as const
    await tx.appendEvent({ type: 'resource.changed', subject: `resource/${id}`, data })
    return resource ?? fail('INTERNAL')
  })
}
