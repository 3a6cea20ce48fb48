import { type Actor } from '@tutti/schema'
import type { Database } from '../tenancy/open-database.ts'

/** Calls that a door takes in a minute where nothing else is said of it. */
export const CALLS_PER_MINUTE = 600

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
  const { rows } = await database.transact(actor, (client) =>
    client.query<{ tokens: number }>(
      `with bucket as materialized (
         select organization_id, id, least($3::float8, coalesce(tokens, $3)
           + greatest(0, coalesce(extract(epoch from clock_timestamp() - refilled_at)::float8, 0)) * $3 / 60) as tokens
         from ${table} where organization_id = $1::uuid and id = $2::uuid for no key update
       ), taken as (
         update ${table} t set tokens = bucket.tokens - 1, refilled_at = clock_timestamp() from bucket
         where t.organization_id = bucket.organization_id and t.id = bucket.id and bucket.tokens >= 1 - 1e-9
       )
       select tokens from bucket`,
      [actor.organizationId, id, most],
    ),
  )
  // A door that went away meanwhile: what comes next says so.
  const tokens = rows[0]?.tokens ?? 1
  return tokens >= 1 - 1e-9 ? null : Math.ceil(((1 - tokens) * 60) / most)
}
