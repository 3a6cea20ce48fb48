import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import { makeRebalance, takeTurn } from './rebalance.ts'

/** Organizations looked at in one go. */
const MOST = 100

/** What a look at whose turn it is did. */
interface ScheduledLook {
  /** How often something was planned or done. */
  made: number
  /** What went wrong; the others had their turn all the same, and it is tried again at the next look. */
  errors: unknown[]
}

/**
 * Rebalances the organizations, of all tenants, whose turn it is by their settings: plans, or does what is planned. Of
 * several processes one has the turn. Events: rebalance.planned, rebalance.applied, agent.scaled.
 */
export async function rebalanceBySchedule({ database }: { database: Database }): Promise<ScheduledLook> {
  const { rows } = await database.pool('worker').query<{ organizationId: string }>(
    `select organization_id as "organizationId" from rebalance_settings where next_at <= clock_timestamp()
     order by next_at limit ${MOST}`,
  )
  const look: ScheduledLook = { made: 0, errors: [] }
  for (const { organizationId } of rows)
    try {
      if (await rebalanceOne(database, organizationId)) look.made += 1
    } catch (error) {
      look.errors.push(error)
    }
  return look
}

const rebalanceOne = (database: Database, organizationId: string): Promise<boolean> =>
  database.inTenant(systemActor(organizationId, 'rebalancing'), async (tx) => {
    await takeTurn(tx)
    const [due] = await tx.sql<{ applies: boolean }>(
      `update rebalance_settings set next_at = clock_timestamp() + interval_seconds * interval '1 second'
       where organization_id = $1::uuid and id = $1::uuid and next_at <= clock_timestamp() returning applies`,
      organizationId,
    )
    if (!due) return false
    const status = due.applies ? 'applied' : 'planned'
    return (await makeRebalance(tx, { status, cause: 'schedule', key: null })) !== undefined
  })
