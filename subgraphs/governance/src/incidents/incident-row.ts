import type { ActorRef } from '../access/actor-ref.ts'
import type { IncidentStatus } from './incident-status.ts'
import type { Impact, Severity } from './severity.ts'

/** An incident as its table keeps it. */
export interface IncidentRow {
  id: string
  severity: Severity
  title: string
  description: string
  impact: Impact
  workaround: boolean
  status: IncidentStatus
  workflowId: string | null
  teamId: string | null
  openedBy: ActorRef
  acknowledgedBy: ActorRef | null
  resolvedBy: ActorRef | null
  resolution: string | null
  openedAt: Date
  acknowledgedAt: Date | null
  resolvedAt: Date | null
  resolveBy: Date
}

/** {@link IncidentRow} of the table `incident`. */
export const INCIDENT_COLUMNS = `id, severity, title, description, impact, workaround, status, workflow_id as "workflowId",
  team_id as "teamId", opened_by as "openedBy", acknowledged_by as "acknowledgedBy", resolved_by as "resolvedBy",
  resolution, opened_at as "openedAt", acknowledged_at as "acknowledgedAt", resolved_at as "resolvedAt",
  resolve_by as "resolveBy"`

/** A line of an incident's timeline. */
export interface IncidentEntryRow {
  incidentId: string
  kind: string
  text: string
  actor: ActorRef
  createdAt: Date
}

/** {@link IncidentEntryRow} of the table `incident_entry`. */
export const INCIDENT_ENTRY_COLUMNS = `incident_id as "incidentId", kind, text, actor, created_at as "createdAt"`
