import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import { STORED_ENTRY_COLUMNS, type StoredEntry } from '../audit/audit-entry-row.ts'
import { canonical } from '../audit/commitment.ts'
import { coveredColumns } from '../audit/entry-digest.ts'
import { type EntryReader, type OpenedEntry, openEntries } from '../audit/open-entries.ts'
import { proveEvent } from './prove-entry.ts'

const PAGE = 1_000

/** Which part of the chain; all that is sealed unless said. */
export interface ExportRange {
  /** Sequences, both included. An export that begins in the middle verifies when a checkpoint ended right before it. */
  from?: number
  to?: number
}

interface Row {
  sequence: bigint
  hash: string
  salt: string
  seq: bigint | null
  id: string | null
  type: string | null
  data: { entryId?: unknown } | null
}

/**
 * The record of the actor's organization, for `tutti-verify`: a line of JSON (RFC 8785) an entry of the chain, in its
 * order, with the event and, of `audit.recorded`, the entry of the audit trail. Pages are read one by one, each in a
 * transaction of its own: nothing of what is sealed changes between them.
 */
export async function* exportRecord(
  { database }: { database: EntryReader },
  actor: Actor,
  { from = 1, to = Number.MAX_SAFE_INTEGER }: ExportRange = {},
): AsyncGenerator<string> {
  const { organizationId } = actor
  for (let next = from; next <= to;) {
    const rows = await database.readTenant<Row>(
      actor,
      `select s.sequence, encode(s.hash, 'hex') as hash, encode(s.salt, 'hex') as salt,
         e.organization_id as "organizationId", e.seq, e.id, e.type, e.subject, e.actor, e.data, e.time
       from (select * from audit_seal where organization_id = $1 and sequence between $2 and $3
             order by sequence limit ${PAGE}) s
       left join log.event e on e.organization_id = s.organization_id and e.seq = s.event_seq
       order by s.sequence`,
      [organizationId, next, to],
    )
    const ids = rows.map(entryIdOf).filter((id) => id !== null)
    const stored = await database.readTenant<StoredEntry>(
      actor,
      `select ${STORED_ENTRY_COLUMNS} from audit_entry where organization_id = $1 and id = any($2::uuid[])`,
      [organizationId, ids],
    )
    const entries = await openEntries(database, actor, stored)
    const byId = new Map(entries.map((entry) => [entry.id, entry]))
    for (const row of rows) {
      const entryId = entryIdOf(row)
      const entry = entryId === null ? undefined : byId.get(entryId)
      yield `${canonical({
        ...row,
        sequence: Number(row.sequence),
        seq: row.seq === null ? null : String(row.seq),
        ...(entry ? { entry: exportedEntry(entry) } : {}),
      })}\n`
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    next = Number(last.sequence) + 1
  }
}

/**
 * What an export that ends before the end of the chain has at its end: the events after it that say which of its entries
 * were pruned, and that a key was destroyed which the text of some was under, each with the proof that a checkpoint signed
 * it. A line each.
 */
export async function* attestationsOf(
  { database }: { database: Pick<Database, 'readTenant'> },
  actor: Actor,
  { from = 1, to = Number.MAX_SAFE_INTEGER }: ExportRange,
): AsyncGenerator<string> {
  const acts = await database.readTenant<EventRecord>(
    actor,
    `with part as (select min(event_seq) as first, max(event_seq) as last from (
         (select event_seq from audit_seal where organization_id = $1 and sequence >= $2 order by sequence limit 1)
         union all
         (select event_seq from audit_seal where organization_id = $1 and sequence <= $3 order by sequence desc limit 1)) s)
     select e.organization_id as "organizationId", e.seq, e.id, e.type, e.subject, e.actor, e.data, e.time
     from log.event e, part
     where e.organization_id = $1 and e.subject = 'audit/retention' and e.run_id is null and e.seq > part.last
       and e.type = 'audit.pruned'
       and exists (select from jsonb_array_elements_text(e.data->'events') n
         where n::bigint between part.first and part.last)
     union all
     select e.organization_id, e.seq, e.id, e.type, e.subject, e.actor, e.data, e.time
     from subject_key k cross join part
     join log.event e on e.organization_id = $1 and e.subject = 'erasure/' || k.id and e.run_id is null
       and e.seq > part.last and e.type = 'subject.erased'
     where k.organization_id = $1 and k.erased_at is not null
       and exists (select from audit_entries_under(array[k.id]) a
         join log.event r on r.organization_id = $1 and r.subject = 'audit/' || a and r.run_id is null
           and r.seq between part.first and part.last and r.type = 'audit.recorded')
     order by seq`,
    [actor.organizationId, from, to],
  )
  for (const event of acts) {
    const proof = await proveEvent((text, values) => database.readTenant(actor, text, values), event)
    if (!proof) continue
    const { sequence, hash, salt, previous, index, size, path, checkpoint } = proof
    const line = { ...event, seq: String(event.seq), sequence, hash, salt }
    yield `${canonical({ attestation: line, previous, index, size, path, checkpoint: checkpoint.number })}\n`
  }
}

/** An entry as the verifier takes it; one without its text has the commitment to it. */
function exportedEntry(entry: OpenedEntry): Record<string, unknown> {
  const { summary, details, salt, textCommitment } = entry
  return {
    ...coveredColumns(entry),
    ...(textCommitment === null ? {} : { text: textCommitment }),
    ...(textCommitment !== null && salt === null ? {} : { summary, details, salt }),
  }
}

function entryIdOf({ type, data }: Row): string | null {
  const id = type === 'audit.recorded' ? data?.entryId : null
  return typeof id === 'string' && isId(id) ? id : null
}
