import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import { refill, wholeStarts } from '../limits/token-bucket.ts'
import { CALLS_PER_MINUTE, type TriggerRow } from './trigger-row.ts'

const PER_SECONDS = 60

interface Bucket {
  tokens: number | null
  /** Seconds since it was last counted, by the database's clock. */
  elapsed: number | null
}

/**
 * Takes a call of a webhook from its trigger's bucket, which all processes share: full at first, and filled evenly in a
 * minute. Null when it is taken; else the whole seconds after which there is room for one.
 */
export async function takeCall(
  database: Pick<Database, 'transact'>,
  { organizationId, id, maxPerMinute }: Pick<TriggerRow, 'organizationId' | 'id' | 'maxPerMinute'>,
): Promise<number | null> {
  const maxStarts = maxPerMinute ?? CALLS_PER_MINUTE
  return database.transact(systemActor(organizationId, 'webhook'), async (client) => {
    const { rows } = await client.query<Bucket>(
      `select tokens, extract(epoch from clock_timestamp() - refilled_at)::float8 as elapsed from trigger
       where organization_id = $1 and id = $2 for no key update`,
      [organizationId, id],
    )
    const { tokens, elapsed } = rows[0] ?? { tokens: null, elapsed: null }
    const now = refill({ tokens: tokens ?? maxStarts, maxStarts, perSeconds: PER_SECONDS }, elapsed ?? 0)
    if (wholeStarts(now) < 1) return Math.ceil(((1 - now) * PER_SECONDS) / maxStarts)
    await client.query(
      `update trigger set tokens = $3, refilled_at = clock_timestamp() where organization_id = $1 and id = $2`,
      [organizationId, id, now - 1],
    )
    return null
  })
}
