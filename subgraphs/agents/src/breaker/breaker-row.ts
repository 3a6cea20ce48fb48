import type { BreakerState } from './breaker-state.ts'

/** A breaker as it is stored, or as it would be: one that was never changed has no row. */
export interface BreakerRow {
  id: string
  scope: 'agent' | 'provider'
  subject: string
  state: BreakerState['state']
  /** Epoch milliseconds. */
  failures: number[]
  openMs: number
  retryAt: Date | null
  error: { code: string; message: string } | null
  changedAt: Date
}

/** Columns of a {@link BreakerRow}. */
export const BREAKER_COLUMNS = `id, scope, subject, state, failures, open_ms::float8 as "openMs", retry_at as "retryAt", error,
  changed_at as "changedAt"`

/** The state that a row stands for. */
export function stateOf({
  state,
  failures,
  openMs,
  retryAt,
}: Pick<BreakerRow, 'state' | 'failures' | 'openMs' | 'retryAt'>): BreakerState {
  if (state === 'closed') return { state, failures }
  return { state, openMs, retryAt: retryAt?.getTime() ?? 0 }
}
