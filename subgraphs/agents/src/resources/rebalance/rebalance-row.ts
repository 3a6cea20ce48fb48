import type { Overloaded, RebalanceAction } from './situation.ts'

/** An action as it was done; `refusal`: why it was not. */
export type RecordedAction = RebalanceAction & { refusal: string | null }

/** A rebalancing as it is kept. */
export interface RebalanceRow {
  id: string
  status: 'planned' | 'applied'
  cause: 'request' | 'schedule'
  requestedBy: unknown
  actions: RecordedAction[]
  overloaded: Overloaded[]
  createdAt: Date
}

/** The columns of {@link RebalanceRow}. */
export const REBALANCE_COLUMNS = `id, status, cause, requested_by as "requestedBy", actions, overloaded,
  created_at as "createdAt"`
