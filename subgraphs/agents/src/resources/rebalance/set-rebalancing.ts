import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'

const RANGE = 'From 60 to 604,800 seconds, which is a week.'

const input = z.object({
  intervalSeconds: z.int().min(60, RANGE).max(604_800, RANGE).nullish(),
  applies: z.boolean().nullish(),
})

/** How often agents are rebalanced by themselves; null: never. */
export interface RebalanceSettingsRow {
  intervalSeconds: number | null
  applies: boolean
  nextAt: Date | null
}

const COLUMNS = `interval_seconds as "intervalSeconds", applies, next_at as "nextAt"`
const OFF: RebalanceSettingsRow = { intervalSeconds: null, applies: false, nextAt: null }

/** What is set for the organization; off unless it was said. */
export async function readRebalancing(
  { database }: { database: Database },
  actor: Actor,
): Promise<RebalanceSettingsRow> {
  const [row] = await database.readTenant<RebalanceSettingsRow & { id: string }>(
    actor,
    `select id, ${COLUMNS} from rebalance_settings where organization_id = $1::uuid and id = $1::uuid`,
    [actor.organizationId],
  )
  return row ?? OFF
}

/**
 * Says how often the organization's agents are rebalanced by themselves, from one interval from now on, and whether what is
 * planned is done; without an interval they are not. BAD_INPUT. Event: rebalance.settings_changed.
 */
export async function setRebalancing(
  { database }: { database: Database },
  actor: Actor,
  request: object,
): Promise<RebalanceSettingsRow> {
  const parsed = parseInput(input, request)
  const intervalSeconds = parsed.intervalSeconds ?? null
  const applies = parsed.applies ?? false
  const { organizationId } = actor
  return database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<RebalanceSettingsRow>(
      `insert into rebalance_settings (organization_id, id, interval_seconds, applies, next_at)
       values ($1::uuid, $1::uuid, $2::int, $3::boolean, clock_timestamp() + $2::int * interval '1 second')
       on conflict (organization_id, id) do update set interval_seconds = excluded.interval_seconds,
         applies = excluded.applies, next_at = excluded.next_at, updated_at = clock_timestamp()
       returning ${COLUMNS}`,
      organizationId,
      intervalSeconds,
      applies,
    )
    const data = { intervalSeconds, applies }
    const subject = `organization/${organizationId}`
    await tx.appendEvent({ type: 'rebalance.settings_changed', subject, data })
    return row ?? fail('INTERNAL')
  })
}
