import type { TenantTransaction } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { AUDIT_ENTRY_COLUMNS, type AuditEntryRow } from './audit-entry-row.ts'

/** The seed's shape of an entry's details. */
export interface AuditDetails {
  context?: unknown
  options_considered?: unknown
  decision?: unknown
  reasoning?: unknown
  outcome?: unknown
  [more: string]: unknown
}

/** An entry as an operation hands it over; the actor is the transaction's. */
export interface NewAuditEntry {
  actionType: 'decision' | 'execution' | 'escalation' | 'denial'
  domain: string
  summary: string
  details: AuditDetails
  classification?: 'public' | 'internal' | 'sensitive'
  significance?: 'standard' | 'significant' | 'compliance'
  /** As `approval/<id>`. */
  subject: string
  relatedTasks?: readonly string[]
}

/** An insert that answers with the row as PostgreSQL keeps it. */
export const INSERT_AUDIT_ENTRY = `insert into audit_entry (organization_id, actor_id, actor_kind, agent_id, action_type,
  domain, summary, details, classification, significance, subject, related_tasks)
  values ($1::uuid, $2, $3, $4::uuid, $5, $6, $7, $8::jsonb, $9, $10, $11,
    array(select jsonb_array_elements_text($12::jsonb)))`

/** The parameters of {@link INSERT_AUDIT_ENTRY}. */
export function auditParameters(actor: Actor, entry: NewAuditEntry): (string | null)[] {
  return [
    actor.organizationId,
    actor.id,
    actor.kind,
    actor.agentId ?? null,
    entry.actionType,
    entry.domain,
    entry.summary,
    JSON.stringify(entry.details),
    entry.classification ?? 'internal',
    entry.significance ?? 'standard',
    entry.subject,
    JSON.stringify(entry.relatedTasks ?? []),
  ]
}

/** Appends an entry in the caller's transaction, so that what happened and its record are one. */
export async function writeAuditEntry(tx: TenantTransaction, entry: NewAuditEntry): Promise<AuditEntryRow> {
  const [row] = await tx.sql<AuditEntryRow>(
    `${INSERT_AUDIT_ENTRY} returning ${AUDIT_ENTRY_COLUMNS}`,
    ...auditParameters(tx.actor, entry),
  )
  if (!row) throw new Error('An insert answered with no row.')
  return row
}
