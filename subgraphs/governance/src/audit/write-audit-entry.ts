import type { SqlTransaction, SubjectKeys } from '@tutti/prisma'
import type { Actor, NewEvent } from '@tutti/schema'
import { type AuditEntryRow, STORED_ENTRY_COLUMNS, type StoredEntry } from './audit-entry-row.ts'
import { commitmentTo, newSalt } from './commitment.ts'
import { entryDigest, type WrittenEntry } from './entry-digest.ts'
import { type EntryText, sealText } from './entry-text.ts'
import { keptOf } from './kept-of.ts'
import { withoutNames } from './without-names.ts'

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
  /** How it ended; `details.outcome` unless given, where that is a text. It stays when the text is erased. */
  outcome?: string | null
  /** For whom it was done; the actor's unless given. */
  onBehalfOf?: { id: string; kind: string }
  /** Whom else it is about, as `customer/4711`: when they are forgotten, its text is. The person who acted is meant anyway. */
  dataSubject?: string
  /** The policies and the authority matrix by which it was decided. */
  policyVersion?: string
  authorityVersion?: string
  classification?: 'public' | 'internal' | 'sensitive'
  significance?: 'standard' | 'significant' | 'compliance'
  /** As `approval/<id>`. */
  subject: string
  relatedTasks?: readonly string[]
}

/**
 * An insert that answers with a {@link StoredEntry}; {@link writtenEntry} and {@link auditEvent} are to follow. The words of
 * a text that is sealed are taken on the way in.
 */
export const INSERT_AUDIT_ENTRY = `insert into audit_entry (organization_id, actor_id, actor_kind, agent_id, on_behalf_of,
  action_type, domain, summary, details, outcome, policy_version, authority_version, classification, significance, subject,
  related_tasks, salt, sealed, key_ids, text_commitment, words, kept, timestamp)
  select $1::uuid, $2, $3, $4::uuid, $5::jsonb, $6, $7, case when $18::text is null then $8 else '' end,
    case when $18 is null then $9::jsonb else '{}' end, $10, $11, $12, $13, $14, $15, tasks, $17, decode($18, 'base64'),
    (select array_agg(k.id::uuid order by k.n) from jsonb_array_elements_text($19::jsonb) with ordinality as k(id, n)),
    $20, case when $18 is not null then audit_words($8, $9::jsonb, tasks) end, $21::jsonb, clock_timestamp()
  from (select array(select jsonb_array_elements_text($16::jsonb)) as tasks) t
  returning ${STORED_ENTRY_COLUMNS}`

/** An entry that is about to be written. */
interface PreparedEntry {
  /** Of {@link INSERT_AUDIT_ENTRY}. */
  parameters: (string | null)[]
  text: EntryText
}

/** Encrypts an entry's text when it is about somebody: the person who acted or for whom it was done, and its data subject. */
export async function prepareEntry(
  subjectKeys: SubjectKeys,
  actor: Actor,
  entry: NewAuditEntry,
): Promise<PreparedEntry> {
  const onBehalfOf = entry.onBehalfOf ?? actor.onBehalfOf
  const subjects = dataSubjects(actor, onBehalfOf, entry)
  const keys = await Promise.all(subjects.map((subject) => subjectKeys.of(actor, subject)))
  const details = JSON.stringify(entry.details)
  const { outcome } = entry.details
  const text: EntryText = { summary: entry.summary, details: JSON.parse(details), salt: newSalt() }
  const isSealed = keys.length > 0
  const parameters = [
    actor.organizationId,
    actor.id,
    actor.kind,
    actor.agentId ?? null,
    onBehalfOf ? JSON.stringify({ id: onBehalfOf.id, kind: onBehalfOf.kind }) : null,
    entry.actionType,
    entry.domain,
    entry.summary,
    details,
    entry.outcome === undefined ? (typeof outcome === 'string' ? outcome : null) : entry.outcome,
    entry.policyVersion ?? null,
    entry.authorityVersion ?? null,
    entry.classification ?? 'internal',
    entry.significance ?? 'standard',
    entry.subject,
    JSON.stringify(entry.relatedTasks ?? []),
    isSealed ? null : text.salt,
    isSealed ? sealText(actor.organizationId, keys, text).toString('base64') : null,
    JSON.stringify(keys.map(({ id }) => id)),
    isSealed ? commitmentTo(text.salt, { details: text.details, summary: text.summary }) : null,
    isSealed ? keptOf(entry.details) : null,
  ]
  return { parameters, text }
}

/** Whom an entry is about: the person who acted, for whom it was done, the principal it speaks of, and whom it names. */
function dataSubjects(
  actor: Actor,
  onBehalfOf: { id: string; kind: string } | undefined,
  { subject, dataSubject }: NewAuditEntry,
): string[] {
  const people = [actor, ...(onBehalfOf ? [onBehalfOf] : [])].filter(({ kind }) => kind === 'person')
  const subjects = people.map(({ id }) => `person/${id}`)
  if (subject.startsWith('principal/')) subjects.push(subject.replace('principal/', 'person/'))
  if (dataSubject !== undefined) subjects.push(dataSubject)
  return [...new Set(subjects)].sort()
}

/** An entry that was inserted, with its text. */
export function writtenEntry(
  { sealed, textCommitment: _, ...row }: StoredEntry,
  text: EntryText,
): WrittenEntry {
  // As PostgreSQL keeps it, where it keeps it.
  return { ...row, ...(sealed === null ? {} : text), salt: text.salt, erased: false }
}

/** The event by which an entry is in the log, and so in the chain. */
export const auditEvent = (row: WrittenEntry): NewEvent => ({
  type: 'audit.recorded',
  subject: `audit/${row.id}`,
  data: { entryId: row.id, actionType: row.actionType, digest: entryDigest(row) },
})

/**
 * Appends an entry in the caller's transaction, so that what happened and its record are one. Whom it mentions stands in it by
 * id. Events: audit.recorded.
 */
export const writeAuditEntry = (tx: SqlTransaction, entry: NewAuditEntry): Promise<AuditEntryRow> =>
  writeGivenEntry(tx, mentioningByIds(entry))

/** An entry of the platform's own: people stand in it by id. */
export const mentioningByIds = (entry: NewAuditEntry): NewAuditEntry => ({
  ...entry,
  details: Object(withoutNames(entry.details)),
})

/** As {@link writeAuditEntry}, with what somebody gave as it stands. */
export async function writeGivenEntry(tx: SqlTransaction, entry: NewAuditEntry): Promise<AuditEntryRow> {
  const { parameters, text } = await prepareEntry(tx.subjectKeys, tx.actor, entry)
  const [row] = await tx.sql<StoredEntry>(INSERT_AUDIT_ENTRY, ...parameters)
  if (!row) throw new Error('An insert answered with no row.')
  const written = writtenEntry(row, text)
  await tx.appendEvent(auditEvent(written))
  return written
}
