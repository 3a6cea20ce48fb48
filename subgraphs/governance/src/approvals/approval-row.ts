import type { ActorRef } from '../access/actor-ref.ts'
import type { ApprovalStatus } from './approval-status.ts'

/** An approval as it is now: one whose time has passed is already `expired`. */
export interface ApprovalRow {
  id: string
  requestKey: string
  title: string
  action: string
  arguments: unknown
  digest: string
  reason: string
  requestedBy: ActorRef
  runId: string | null
  taskId: string | null
  status: ApprovalStatus
  decidedBy: ActorRef | null
  comment: string | null
  finalArguments: unknown
  expiresAt: Date | null
  decidedAt: Date | null
  createdAt: Date
}

/** {@link ApprovalRow} of the table `approval`. Expiry is read on the database's clock, before any sweep comes by. */
export const APPROVAL_COLUMNS = `id, request_key as "requestKey", title, action, arguments, digest, reason,
  requested_by as "requestedBy", run_id as "runId", task_id as "taskId",
  case when status = 'pending' and expires_at <= clock_timestamp() then 'expired' else status end as status,
  decided_by as "decidedBy", comment, final_arguments as "finalArguments", expires_at as "expiresAt",
  decided_at as "decidedAt", created_at as "createdAt"`
