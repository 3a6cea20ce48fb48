/** An entry of the audit trail. */
export interface AuditEntryRow {
  id: string
  timestamp: Date
  actorId: string
  actorKind: string
  agentId: string | null
  actionType: string
  domain: string
  summary: string
  details: unknown
  classification: string
  significance: string
  subject: string
  relatedTasks: string[]
}

/** {@link AuditEntryRow} of the table `audit_entry`. */
export const AUDIT_ENTRY_COLUMNS = `id, timestamp, actor_id as "actorId", actor_kind as "actorKind", agent_id as "agentId",
  action_type as "actionType", domain, summary, details, classification, significance, subject,
  related_tasks as "relatedTasks"`
