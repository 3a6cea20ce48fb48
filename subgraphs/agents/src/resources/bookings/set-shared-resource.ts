import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { word } from '../../messaging/message-input.ts'
import { lockResource, settleResource } from './change-bookings.ts'
import { peakWithin, takenBy } from './settle-bookings.ts'
import { RESOURCE_COLUMNS, type SharedResourceRow } from './shared-resource.ts'

const input = z.object({
  name: word(),
  description: word(1_000).nullish(),
  capacity: z.int().min(1).max(1_000_000),
})

/**
 * Makes a resource, or changes the one of this name. More capacity is given to who waits at once. INVALID_STATE when what
 * is held, booked or wanted does not fit into less. BAD_INPUT. Events: `resource.changed`.
 */
export async function setSharedResource(
  { database }: { database: Database },
  actor: Actor,
  request: object,
): Promise<SharedResourceRow> {
  const { name, description, capacity } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const { organizationId } = actor
    await tx.sql(
      `insert into shared_resource (organization_id, name, capacity) values ($1::uuid, $2, $3::int)
       on conflict (organization_id, name) do nothing returning id`,
      organizationId,
      name,
      capacity,
    )
    const locked = await lockResource(tx, { name }, 'input.name')
    const taken = peakWithin(takenBy(locked.bookings), locked.now, Infinity)
    const wanted = Math.max(taken, ...locked.bookings.map(({ amount }) => amount))
    if (capacity < wanted)
      fail('INVALID_STATE', {
        path: 'input.capacity',
        message: `${wanted} of it are held, booked or wanted.`,
        hint: 'Have that released first.',
      })
    const [resource] = await tx.sql<SharedResourceRow>(
      `update shared_resource set capacity = $3::int, description = $4, updated_at = clock_timestamp()
       where organization_id = $1::uuid and id = $2::uuid returning ${RESOURCE_COLUMNS}`,
      organizationId,
      locked.id,
      capacity,
      description ?? null,
    )
    if (!resource) return fail('INTERNAL')
    const data = { resourceId: locked.id, name, capacity, change: 'set' } as const
    await tx.appendEvents([{ type: 'resource.changed', subject: `resource/${locked.id}`, data }])
    await settleResource(tx, { ...locked, capacity })
    return resource
  })
}
