import { isDeepStrictEqual } from 'node:util'
import { type Database, STORED_KEY_COLUMNS, type StoredKey } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { AuditEntryRow, StoredEntry } from './audit-entry-row.ts'
import { openText } from './entry-text.ts'

/** What entries are read with. */
export type EntryReader = Pick<Database, 'readTenant' | 'subjectKeys'>

/** An entry with what it was committed to by; `salt` is null where the text is not there. */
export type OpenedEntry = AuditEntryRow & Pick<StoredEntry, 'salt' | 'textCommitment'>

/**
 * Entries of the actor's tenant with their texts, in the same order. Whose key was destroyed says `erased` and what was decided; what does not
 * open with its keys `unreadable`, as somebody tampered with it. Throws MasterKeyMissing.
 */
export async function openEntries(
  { readTenant, subjectKeys }: EntryReader,
  actor: Actor,
  entries: readonly StoredEntry[],
): Promise<OpenedEntry[]> {
  const ids = new Set(entries.flatMap(({ keyIds }) => keyIds ?? []))
  const stored =
    ids.size === 0
      ? []
      : await readTenant<StoredKey>(
          actor,
          `select ${STORED_KEY_COLUMNS} from subject_key where organization_id = $1 and id = any($2::uuid[])`,
          [actor.organizationId, [...ids]],
        )
  const keys = await subjectKeys.open(actor, stored)
  return entries.map(({ sealed, ...entry }) => {
    if (sealed === null) return { ...entry, erased: false }
    const needed = (entry.keyIds ?? []).flatMap((id) => {
      const key = keys.get(id)
      return key ? [{ id, key }] : []
    })
    if (needed.length < (entry.keyIds ?? []).length)
      return { ...entry, summary: 'erased', details: entry.kept ?? {}, salt: null, erased: true }
    // Nothing is beside what is sealed: what is there was put there.
    const isAlone = entry.summary === '' && entry.salt === null && isDeepStrictEqual(entry.details, {})
    const text = isAlone ? openText(actor.organizationId, needed, sealed) : undefined
    return text
      ? { ...entry, ...text, erased: false }
      : { ...entry, summary: 'unreadable', details: {}, salt: null, erased: false }
  })
}
