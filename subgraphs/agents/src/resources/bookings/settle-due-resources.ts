import type { Database } from '@tutti/prisma'
import { systemActor, TuttiError } from '@tutti/schema'
import { lockResource, settleResource } from './change-bookings.ts'

const MOST = 100

/**
 * Brings resources of every tenant up to now where something has ended or begins, at most 100: leases and windows that are
 * over end, windows begin, the next in line is served. For workers; several may at once. The answer is how many.
 */
export async function settleDueResources({ database }: { database: Database }): Promise<number> {
  const { rows } = await database.pool('worker').query<{ organizationId: string; id: string }>(
    `select organization_id as "organizationId", id from shared_resource
     where due_at <= clock_timestamp() order by due_at limit ${MOST}`,
  )
  for (const { organizationId, id } of rows)
    await database
      .inTenant(systemActor(organizationId, 'worker'), async (tx) =>
        settleResource(tx, await lockResource(tx, { id }, 'id')),
      )
      .catch((error: unknown) => {
        // Somebody removed it meanwhile.
        if (!(error instanceof TuttiError) || error.code !== 'NOT_FOUND') throw error
      })
  return rows.length
}
