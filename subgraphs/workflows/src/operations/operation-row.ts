import type { RunRefusal } from '../runs/control/run-refusal.ts'
import type { BulkAction } from './bulk-action.ts'
import type { RunFilter } from './run-filter.ts'

/** Where an operation stands. */
export const OPERATION_STATUSES = ['running', 'completed', 'cancelled'] as const

interface ActorRecord {
  id: string
  kind: string
  name: string
}

/** An act of control on many runs. */
export interface OperationRow {
  id: string
  action: BulkAction
  filter: RunFilter
  /** What is sent, or where the fork begins. */
  params: unknown
  reason: string | null
  status: (typeof OPERATION_STATUSES)[number]
  dryRun: boolean
  total: number
  done: number
  failed: number
  problems: RunRefusal[]
  position: string | null
  last: string | null
  startedBy: ActorRecord
  createdAt: Date
  endedBy: ActorRecord | null
  endedAt: Date | null
}

/** Columns of an {@link OperationRow}. */
export const OPERATION_COLUMNS = `id, action, filter, params, reason, status, dry_run as "dryRun", total, done, failed, problems,
  position, last, started_by as "startedBy", created_at as "createdAt", ended_by as "endedBy", ended_at as "endedAt"`

/** So many refusals are kept with an operation; the others are counted. */
export const MOST_PROBLEMS = 20

/** Subject of an event about an operation, and what every such event says. */
export function aboutOperation({ id, action }: Pick<OperationRow, 'id' | 'action'>) {
  return { subject: `operation/${id}`, data: { operationId: id, action } }
}
