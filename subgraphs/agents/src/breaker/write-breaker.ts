import type { TenantTransaction } from '@tutti/prisma'
import type { NewEvent } from '@tutti/schema'
import { BREAKER_COLUMNS, type BreakerRow } from './breaker-row.ts'
import type { BreakerState } from './breaker-state.ts'

/** Whose breaker it is. */
export interface BreakerTarget {
  scope: 'agent' | 'provider'
  /** The agent's id, or the provider's name. */
  subject: string
  /** The agent's name, or the provider's. */
  name: string
}

/** Why it changes. */
export interface BreakerCause {
  cause: 'recovered' | 'reset'
  error?: { code: string; message: string } | undefined
}

/** Writes what a breaker is from now on; its row is locked by the caller. Events: breaker.opened, breaker.half_opened, breaker.closed. */
export async function writeBreaker(
  tx: Pick<TenantTransaction, 'sql' | 'actor' | 'appendEvent'>,
  target: BreakerTarget,
  before: BreakerRow,
  after: BreakerState,
  { cause, error }: BreakerCause,
): Promise<BreakerRow> {
  const closed = after.state === 'closed'
  const [row] = await tx.sql<BreakerRow>(
    `update breaker set state = $3, failures = $4::jsonb, open_ms = $5, error = coalesce($6::jsonb, error),
       retry_at = to_timestamp($7::float8 / 1000),
       changed_at = case when state = $3 and $3 = 'closed' then changed_at else clock_timestamp() end
     where organization_id = $1::uuid and id = $2::uuid returning ${BREAKER_COLUMNS}`,
    tx.actor.organizationId,
    before.id,
    after.state,
    JSON.stringify(closed ? after.failures : []),
    closed ? 0 : after.openMs,
    error ? JSON.stringify(error) : null,
    closed ? null : after.retryAt,
  )
  if (!row) throw new Error('A breaker is gone.')
  const event = eventOf(target, before.state, after, { cause, error })
  if (event) await tx.appendEvent(event)
  return row
}

function eventOf(
  { scope, subject, name }: BreakerTarget,
  before: BreakerState['state'],
  after: BreakerState,
  { cause, error }: BreakerCause,
): NewEvent | undefined {
  const about = `${scope}/${subject}`
  const data = { scope, name, agentId: scope === 'agent' ? subject : null }
  if (after.state === 'open') {
    const { openMs, retryAt } = after
    const until = { openMs, retryAt: new Date(retryAt).toISOString(), error: error ?? null }
    return { type: 'breaker.opened', subject: about, data: { ...data, ...until } }
  }
  // Another trial, of one that was not heard of: nothing new.
  if (before === after.state) return undefined
  return after.state === 'closed'
    ? { type: 'breaker.closed', subject: about, data: { ...data, cause } }
    : { type: 'breaker.half_opened', subject: about, data }
}
