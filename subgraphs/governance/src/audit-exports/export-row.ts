import type { ActorRef } from '../access/actor-ref.ts'

/** Which entries an export of the audit trail has, as it is kept; times in ISO 8601. */
export interface ExportFilters {
  subject?: string
  actionType?: string
  actor?: string
  domain?: string
  task?: string
  text?: string
  classification?: string
  significance?: string
}

/** An export of the record or of the audit trail, which a worker writes part by part. */
export interface ExportRow {
  id: string
  format: 'jsonl' | 'csv'
  /** Whether it is the record itself, event by event, for `tutti-verify`. */
  verifiable: boolean
  filters: ExportFilters
  fromTime: Date | null
  untilTime: Date | null
  /** Whether it has entries that are sensitive. */
  sensitive: boolean
  status: 'running' | 'completed' | 'cancelled'
  /** How many entries of the chain, or of the trail, are to be looked at, and how many have been. */
  total: bigint
  done: bigint
  /** How many lines were written, beside a header. */
  written: bigint
  parts: number
  /** Which part of the chain it is. */
  firstSequence: bigint | null
  lastSequence: bigint | null
  /** The last entry that was looked at, and the last that is to be: sequences, or ids of the trail. */
  position: string | null
  last: string | null
  requestedBy: ActorRef
  createdAt: Date
  endedAt: Date | null
  /** When its parts are or were taken away. */
  expiresAt: Date | null
}

/** How long the parts of an export are kept after its end. */
export const KEPT = '7 days'

/** Columns of an {@link ExportRow}. */
export const EXPORT_COLUMNS = `id, format, verifiable, filters, from_time as "fromTime", until_time as "untilTime", sensitive,
  status, total, done, written, parts, first_sequence as "firstSequence", last_sequence as "lastSequence", position, last,
  requested_by as "requestedBy", created_at as "createdAt", ended_at as "endedAt",
  case when status = 'cancelled' then ended_at else ended_at + interval '${KEPT}' end as "expiresAt"`
