import type { AuditEntryRow } from './audit-entry-row.ts'
import { canonical, commitmentTo, sha256 } from './commitment.ts'

/**
 * What the chain covers of an entry, 64 hex digits: SHA-256 of the RFC 8785 form of its columns, in which `text` is the
 * commitment to details and summary. So what may have to be forgotten can be, and the digest stays.
 */
export function entryDigest(row: AuditEntryRow & { salt: string }): string {
  const { details, summary, salt, timestamp, ...columns } = row
  return sha256(
    canonical({
      ...columns,
      timestamp: timestamp.toISOString(),
      text: commitmentTo(salt, { details, summary }),
    }),
  )
}
