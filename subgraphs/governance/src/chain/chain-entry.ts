import type { EventRecord } from '@tutti/schema'
import { commitmentTo, sha256 } from '../audit/commitment.ts'

/** What the first entry of a chain follows: 64 zeros. */
export const GENESIS = '0'.repeat(64)

/**
 * An event as the chain covers it: RFC 8785, with the keys in their order. `content` is the commitment to actor and data,
 * so that either can be forgotten later and the chain stays.
 */
export function chainEntry(event: EventRecord, salt: string): string {
  const { actor, data, id, organizationId, seq, subject, time, type } = event
  return JSON.stringify({
    content: commitmentTo(salt, { actor, data }),
    id,
    organizationId,
    seq: String(seq),
    subject,
    time: time.toISOString(),
    type,
  })
}

/** The hash of an entry, 64 hex digits: SHA-256 over the hash before it, its sequence in decimal, and itself, as text. */
export const entryHash = (previous: string, sequence: bigint, entry: string): string =>
  sha256(`${previous}${sequence}${entry}`)
