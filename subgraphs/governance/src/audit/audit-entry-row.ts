/** An entry of the audit trail. */
export interface AuditEntryRow {
  id: string
  timestamp: Date
  actorId: string
  actorKind: string
  agentId: string | null
  /** For whom the actor acted. */
  onBehalfOf: { id: string; kind: string } | null
  actionType: string
  domain: string
  summary: string
  details: unknown
  outcome: string | null
  /** The rules it was decided by. */
  policyVersion: string | null
  authorityVersion: string | null
  classification: string
  significance: string
  subject: string
  relatedTasks: string[]
  /** The keys that summary and details were stored under; null: under none. */
  keyIds: string[] | null
  /** What of details under keys is the organization's, and stays when they are gone; null: nothing. */
  kept: Record<string, unknown> | null
  /** True: one of those keys was destroyed, and so summary and details are gone. */
  erased: boolean
}

/** An entry as the table `audit_entry` has it: of one under keys, summary, details and salt are in `sealed` alone. */
export interface StoredEntry extends Omit<AuditEntryRow, 'erased'> {
  /** What the commitment to summary and details begins with. */
  salt: string | null
  sealed: Buffer | null
  textCommitment: string | null
}

/** {@link StoredEntry} of the table `audit_entry`. */
export const STORED_ENTRY_COLUMNS = `id, timestamp, actor_id as "actorId", actor_kind as "actorKind", agent_id as "agentId",
  on_behalf_of as "onBehalfOf", action_type as "actionType", domain, summary, details, outcome,
  policy_version as "policyVersion", authority_version as "authorityVersion", classification, significance, subject,
  related_tasks as "relatedTasks", key_ids as "keyIds", kept, salt, sealed, text_commitment as "textCommitment"`
