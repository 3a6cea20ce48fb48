import type { ActorRef } from '../access/actor-ref.ts'

/** A key of `subject_key` that was destroyed. */
export interface ErasureRow {
  id: string
  subject: string
  erasedAt: Date
  erasedBy: ActorRef
  reason: string
  /** How many entries of the trail lost their text. */
  entries: number
}

/** {@link ErasureRow} of the table `subject_key`, where `erased_at` is not null. */
export const ERASURE_COLUMNS = `id, subject, erased_at as "erasedAt", erased_by as "erasedBy",
  erasure_reason as reason, entries`
