import type { EventData } from '@tutti/schema'

/** A place on the shared board. */
export interface BoardItemRow {
  id: string
  capability: string
  input: Record<string, unknown>
  /** As peers see it: a claim whose lease is over is open. */
  status: 'open' | 'claimed' | 'completed' | 'failed' | 'withdrawn'
  /** How often it was claimed. */
  fence: number
  claimedBy: { id: string; kind: string; name: string } | null
  agentId: string | null
  leaseUntil: Date | null
  output: unknown
  error: { code: string; message: string } | null
  taskId: string | null
  runId: string | null
  postedBy: { id: string; kind: string; name: string }
  createdAt: Date
  endedAt: Date | null
}

const LAPSED = `i.status = 'claimed' and i.lease_until <= clock_timestamp()`

/** What nobody has, or has any more; the table is `i`. */
export const IS_OPEN = `(i.status = 'open' or ${LAPSED})`

/** Columns of a {@link BoardItemRow}; the table is `i`. */
export const ITEM_COLUMNS = `i.id, i.capability, i.input, case when ${IS_OPEN} then 'open' else i.status end as status, i.fence,
  case when ${IS_OPEN} then null else i.claimed_by end as "claimedBy",
  case when ${IS_OPEN} then null else i.agent_id end as "agentId",
  case when ${LAPSED} then null else i.lease_until end as "leaseUntil", i.output, i.error, i.task_id as "taskId",
  i.run_id as "runId", i.posted_by as "postedBy", i.created_at as "createdAt", i.ended_at as "endedAt"`

/** Subject and data of an event about an item. */
export function aboutItem({
  id: itemId,
  capability,
  runId,
  taskId,
}: Pick<BoardItemRow, 'id' | 'capability' | 'runId' | 'taskId'>): {
  subject: string
  data: EventData<'board.posted'>
} {
  return { subject: `board/${itemId}`, data: { itemId, capability, runId, taskId } }
}
