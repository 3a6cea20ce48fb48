import type { ActorRef } from '../access/actor-ref.ts'
import type { EscalationLevel, Responsible } from './escalation-level.ts'
import type { EscalationStatus } from './escalation-status.ts'

/** An escalation as its table keeps it. */
export interface EscalationRow {
  id: string
  title: string
  reason: string
  level: EscalationLevel
  status: EscalationStatus
  context: unknown
  runId: string | null
  taskId: string | null
  approvalId: string | null
  teamId: string | null
  domainId: string | null
  /** Of its level; null: from before there were policies, and settled. */
  responsible: Responsible | null
  /** The one person who has it now, where there is one. */
  assignedTo: ActorRef | null
  acknowledgeBy: Date | null
  resolveBy: Date | null
  /** Grows whenever others become responsible. */
  turn: number
  /** When the last level missed its deadline too, and the incident that was opened. */
  exhaustedAt: Date | null
  incidentId: string | null
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
  approval_id as "approvalId", team_id as "teamId", domain_id as "domainId", responsible, assigned_to as "assignedTo",
  acknowledge_by as "acknowledgeBy", resolve_by as "resolveBy", turn, exhausted_at as "exhaustedAt",
  incident_id as "incidentId", opened_by as "openedBy", acknowledged_by as "acknowledgedBy", resolved_by as "resolvedBy",
  resolution, opened_at as "openedAt", acknowledged_at as "acknowledgedAt", resolved_at as "resolvedAt"`
