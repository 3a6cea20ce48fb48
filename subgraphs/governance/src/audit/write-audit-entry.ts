import type { SqlTransaction } from '@tutti/prisma'
import type { Actor, NewEvent } from '@tutti/schema'
import { AUDIT_ENTRY_COLUMNS, type AuditEntryRow } from './audit-entry-row.ts'
import { newSalt } from './commitment.ts'
import { entryDigest } from './entry-digest.ts'

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
  /** How it ended; `details.outcome` unless given, where that is a text. */
  outcome?: string
  /** For whom it was done; the actor's unless given. */
  onBehalfOf?: { id: string; kind: string }
  /** The policies and the authority matrix by which it was decided. */
  policyVersion?: string
  authorityVersion?: string
  classification?: 'public' | 'internal' | 'sensitive'
  significance?: 'standard' | 'significant' | 'compliance'
  /** As `approval/<id>`. */
  subject: string
  relatedTasks?: readonly string[]
}

/** An entry as it was written, with what its commitment begins with. */
export type WrittenEntry = AuditEntryRow & { salt: string }

/** An insert that answers with a {@link WrittenEntry} as PostgreSQL keeps it; {@link auditEvent} is to follow. */
export const INSERT_AUDIT_ENTRY = `insert into audit_entry (organization_id, actor_id, actor_kind, agent_id, on_behalf_of,
  action_type, domain, summary, details, outcome, policy_version, authority_version, classification, significance, subject,
  related_tasks, salt, timestamp)
  values ($1::uuid, $2, $3, $4::uuid, $5::jsonb, $6, $7, $8, $9::jsonb, $10, $11, $12, $13, $14, $15,
    array(select jsonb_array_elements_text($16::jsonb)), $17, clock_timestamp())
  returning ${AUDIT_ENTRY_COLUMNS}, salt`

/** The parameters of {@link INSERT_AUDIT_ENTRY}. */
export function auditParameters(actor: Actor, entry: NewAuditEntry): (string | null)[] {
  const onBehalfOf = entry.onBehalfOf ?? actor.onBehalfOf
  const { outcome } = entry.details
  return [
    actor.organizationId,
    actor.id,
    actor.kind,
    actor.agentId ?? null,
    onBehalfOf ? JSON.stringify({ id: onBehalfOf.id, kind: onBehalfOf.kind }) : null,
    entry.actionType,
    entry.domain,
    entry.summary,
    JSON.stringify(entry.details),
    entry.outcome ?? (typeof outcome === 'string' ? outcome : null),
    entry.policyVersion ?? null,
    entry.authorityVersion ?? null,
    entry.classification ?? 'internal',
    entry.significance ?? 'standard',
    entry.subject,
    JSON.stringify(entry.relatedTasks ?? []),
    newSalt(),
  ]
}

/** The event by which an entry is in the log, and so in the chain. */
export const auditEvent = (row: WrittenEntry): NewEvent => ({
  type: 'audit.recorded',
  subject: `audit/${row.id}`,
  data: { entryId: row.id, actionType: row.actionType, digest: entryDigest(row) },
})

/**
 * Appends an entry in the caller's transaction, so that what happened and its record are one. Events: audit.recorded.
 */
export async function writeAuditEntry(tx: SqlTransaction, entry: NewAuditEntry): Promise<AuditEntryRow> {
  const [row] = await tx.sql<WrittenEntry>(INSERT_AUDIT_ENTRY, ...auditParameters(tx.actor, entry))
  if (!row) throw new Error('An insert answered with no row.')
  await tx.appendEvent(auditEvent(row))
  return row
}
