import type { ActorRef } from '../access/actor-ref.ts'
import type { EscalationStatus } from './escalation-status.ts'

/** An escalation as its table keeps it. */
export interface EscalationRow {
  id: string
  title: string
  reason: string
  level: string
  status: EscalationStatus
  context: unknown
  runId: string | null
  taskId: string | null
  approvalId: string | null
  openedBy: ActorRef
  acknowledgedBy: ActorRef | null
  resolvedBy: ActorRef | null
  resolution: string | null
  openedAt: Date
  acknowledgedAt: Date | null
  resolvedAt: Date | null
}

/** {@link EscalationRow} of the table `escalation`. */
export const ESCALATION_COLUMNS = `id, title, reason, level, status, context, run_id as "runId", task_id as "taskId",
  approval_id as "approvalId", opened_by as "openedBy", acknowledged_by as "acknowledgedBy", resolved_by as "resolvedBy",
  resolution, opened_at as "openedAt", acknowledged_at as "acknowledgedAt", resolved_at as "resolvedAt"`
