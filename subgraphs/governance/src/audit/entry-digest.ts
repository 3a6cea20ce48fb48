import type { AuditEntryRow, StoredEntry } from './audit-entry-row.ts'
import { canonical, commitmentTo, sha256 } from './commitment.ts'

/** An entry as it is written: with its text, and what the commitment to that begins with. */
export type WrittenEntry = AuditEntryRow & { salt: string }

/**
 * What the chain covers of an entry, 64 hex digits: SHA-256 of the RFC 8785 form of its columns, in which `text` is the
 * commitment to details and summary, `keyIds` those they are under and `kept` what stays of them, where there are any. So
 * what may have to be forgotten can be, and the digest stays.
 */
export function entryDigest(entry: WrittenEntry): string {
  const { details, summary, salt } = entry
  return sha256(canonical({ ...coveredColumns(entry), text: commitmentTo(salt, { details, summary }) }))
}

/** What is covered as it is. */
export function coveredColumns(
  entry: AuditEntryRow & Partial<Pick<StoredEntry, 'salt' | 'textCommitment'>>,
): Record<string, unknown> {
  const {
    details: _details,
    summary: _summary,
    erased: _erased,
    salt: _salt,
    textCommitment: _text,
    keyIds,
    kept,
    timestamp,
    ...columns
  } = entry
  return {
    ...columns,
    timestamp: timestamp.toISOString(),
    ...(keyIds === null ? {} : { keyIds }),
    ...(kept === null ? {} : { kept }),
  }
}
