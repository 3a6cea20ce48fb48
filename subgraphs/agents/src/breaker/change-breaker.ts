import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { BREAKER_COLUMNS, type BreakerRow, stateOf } from './breaker-row.ts'
import type { BreakerState } from './breaker-state.ts'
import { type BreakerCause, type BreakerTarget, writeBreaker } from './write-breaker.ts'

/**
 * Changes one breaker, with its row locked; `change` is told the state, the database's time, epoch milliseconds, and which
 * version of the agent serves (null: of a provider). The answer is the row from then on, and that time. Events:
 * breaker.opened, breaker.half_opened, breaker.closed.
 */
export async function changeBreaker(
  { database }: { database: Database },
  actor: Actor,
  target: BreakerTarget,
  change: (before: BreakerState, now: number, serving: number | null) => BreakerState,
  why: BreakerCause = { cause: 'recovered' },
): Promise<{ row: BreakerRow; now: number }> {
  return database.inTenant(actor, async (tx) => {
    const { scope, subject } = target
    await tx.sql(
      `insert into breaker (organization_id, scope, subject) values ($1::uuid, $2, $3)
       on conflict (organization_id, scope, subject) do nothing`,
      actor.organizationId,
      scope,
      subject,
    )
    const [before] = await tx.sql<BreakerRow & { now: number; serving: number | null }>(
      `select ${BREAKER_COLUMNS}, extract(epoch from clock_timestamp())::float8 * 1000 as now,
         (select serving_version from agent a where a.organization_id = $1::uuid and $2 = 'agent' and a.id::text = $3) as serving
       from breaker where organization_id = $1::uuid and scope = $2 and subject = $3 for update`,
      actor.organizationId,
      scope,
      subject,
    )
    if (!before) throw new Error('A breaker is gone.')
    const state = stateOf(before)
    const after = change(state, before.now, before.serving)
    if (after === state) return { row: before, now: before.now }
    return { row: await writeBreaker(tx, target, before, after, why), now: before.now }
  })
}
