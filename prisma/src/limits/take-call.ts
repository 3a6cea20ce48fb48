import { type Actor } from '@tutti/schema'
import type { Database } from '../tenancy/open-database.ts'

/** Calls that a door takes in a minute where nothing else is said of it. */
export const CALLS_PER_MINUTE = 600

const ROUNDING = 1e-9

/** Of what calls are counted: a row with columns `tokens` and `refilled_at`. */
interface Door {
  table: 'trigger' | 'connector'
  id: string
  /** Null: {@link CALLS_PER_MINUTE}. */
  maxPerMinute: number | null
}

/**
 * Takes a call from a door's bucket, which all processes share: full at first, and filled evenly in a minute. Null when it is
 * taken; else the whole seconds after which there is room for one.
 */
export async function takeCall(
  database: Pick<Database, 'transact'>,
  actor: Actor,
  { table, id, maxPerMinute }: Door,
): Promise<number | null> {
  const most = maxPerMinute ?? CALLS_PER_MINUTE
  return database.transact(actor, async (client) => {
    // Two statements: one that locks the row and writes it as well waits, for its older version, in another's line.
    const { rows } = await client.query<{ tokens: number }>(
      `select least($3::float8, coalesce(tokens, $3)
         + greatest(0, coalesce(extract(epoch from clock_timestamp() - refilled_at)::float8, 0)) * $3 / 60) as tokens
       from ${table} where organization_id = $1::uuid and id = $2::uuid for no key update`,
      [actor.organizationId, id, most],
    )
    const [bucket] = rows
    // A door that went away meanwhile: what comes next says so.
    if (!bucket) return null
    if (bucket.tokens < 1 - ROUNDING) return Math.ceil(((1 - bucket.tokens) * 60) / most)
    await client.query(
      `update ${table} set tokens = $3, refilled_at = clock_timestamp() where organization_id = $1::uuid and id = $2::uuid`,
      [actor.organizationId, id, bucket.tokens - 1],
    )
    return null
  })
}
