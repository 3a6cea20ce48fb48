import type { Database } from '@tutti/prisma'
import { type Actor, systemActor } from '@tutti/schema'
import type pg from 'pg'
import { STORED_ENTRY_COLUMNS, type StoredEntry } from '../audit/audit-entry-row.ts'
import { AUDIT_FILTER, auditFilterValues } from '../audit/audit-filter.ts'
import { type EntryReader, openEntries } from '../audit/open-entries.ts'
import { recordEvent } from '../audit/record-event.ts'
import { attestationsOf, exportRecord } from '../chain/export-record.ts'
import { entryLine, headerOf } from './entry-line.ts'
import { EXPORT_COLUMNS, type ExportRow, KEPT } from './export-row.ts'

/** An export that is not over, of any tenant. */
export interface RunningExport {
  organizationId: string
  id: string
}

/** Entries that are looked at for a part, and characters at which it ends before. */
export interface PartSize {
  entries?: number
  characters?: number
}

const ENTRIES = 2_000
const CHARACTERS = 1_000_000

/** Exports that wait for a worker, the oldest of each tenant in turn. Needs the role `worker`. */
export async function findExports(database: Database): Promise<RunningExport[]> {
  const { rows } = await database.pool('worker').query<RunningExport>(
    `select organization_id as "organizationId", id from (
       select organization_id, id, row_number() over (partition by organization_id order by id) as turn
       from audit_export where status = 'running') o order by turn, id limit 100`,
  )
  return rows
}

/**
 * Writes an export's next part; that and how far it is are one transaction, so that whoever dies, no line is left out and
 * none is there twice. False when another worker has the export at this moment, or it is over. Events:
 * audit.export_completed, with the last part.
 */
export async function workExport(
  { database }: { database: Database },
  { organizationId, id }: RunningExport,
  size: PartSize = {},
): Promise<boolean> {
  const actor = systemActor(organizationId, 'exports')
  const worked = await database.transact(actor, async (client) => {
    const { rows } = await client.query<ExportRow>(
      `select ${EXPORT_COLUMNS} from audit_export
       where organization_id = $1 and id = $2 and status = 'running' for update skip locked`,
      [organizationId, id],
    )
    const [row] = rows
    if (!row) return false
    const part = await (row.verifiable ? recordPart : trailPart)(
      readerOf(database, client),
      organizationId,
      row,
      size,
    )
    const content = (row.parts === 0 ? headerOf(row.format) : '') + part.content
    if (content !== '')
      await client.query(
        'insert into audit_export_part (organization_id, export_id, number, content) values ($1, $2, $3, $4)',
        [organizationId, id, row.parts + 1, content],
      )
    const written = row.written + BigInt(part.lines)
    await client.query(
      `update audit_export set position = coalesce($3, position), done = done + $4, written = $5, parts = parts + $6,
         status = $7, ended_at = case when $7 = 'completed' then clock_timestamp() end
       where organization_id = $1 and id = $2`,
      [
        organizationId,
        id,
        part.position,
        String(part.looked),
        String(written),
        content === '' ? 0 : 1,
        part.over ? 'completed' : 'running',
      ],
    )
    if (part.over)
      await recordEvent(client, actor, {
        type: 'audit.export_completed',
        subject: `audit_export/${id}`,
        data: { exportId: id, written: Number(written) },
      })
    return true
  })
  if (worked) database.announce()
  return worked
}

interface Part {
  content: string
  lines: number
  looked: number
  /** The last that was looked at; null: none. */
  position: string | null
  over: boolean
}

/** Reads in the transaction that writes the part. */
const readerOf = ({ subjectKeys }: Database, client: pg.PoolClient): EntryReader => ({
  subjectKeys,
  readTenant: async (_, text, values) => (await client.query(text, values)).rows,
})

/** Lines of the record, as far as the export goes. */
async function recordPart(
  reader: EntryReader,
  organizationId: string,
  { position, last, firstSequence }: ExportRow,
  { entries = ENTRIES, characters = CHARACTERS }: PartSize,
): Promise<Part> {
  const [from, to] = [Number(position) + 1, Number(last)]
  const range = { from, to: Math.min(to, from + entries - 1) }
  const lines: string[] = []
  let length = 0
  for await (const line of exportRecord(
    { database: reader },
    systemActor(organizationId, 'exports'),
    range,
  )) {
    lines.push(line)
    length += line.length
    if (length >= characters) break
  }
  const end = from + lines.length - 1
  const over = lines.length === 0 || end >= to
  const attestations: string[] = []
  if (over) {
    const whole = { from: Number(firstSequence), to }
    for await (const line of attestationsOf(
      { database: reader },
      systemActor(organizationId, 'exports'),
      whole,
    ))
      attestations.push(line)
  }
  return {
    content: [...lines, ...attestations].join(''),
    lines: lines.length,
    looked: lines.length,
    position: String(end),
    over,
  }
}

/** What fits among the next entries of the trail. */
async function trailPart(
  reader: EntryReader,
  organizationId: string,
  { position, last, format, filters, fromTime, untilTime, sensitive }: ExportRow,
  { entries = ENTRIES, characters = CHARACTERS }: PartSize,
): Promise<Part> {
  const actor: Actor = {
    ...systemActor(organizationId, 'exports'),
    scopes: sensitive ? ['audit:sensitive'] : [],
  }
  const rows = await reader.readTenant<StoredEntry & { fits: boolean }>(
    actor,
    `select ${STORED_ENTRY_COLUMNS}, ${AUDIT_FILTER} as fits from audit_entry
     where organization_id = $1 and ($13::uuid is null or id > $13) and id <= $14 order by id limit $15`,
    [...auditFilterValues(actor, { ...filters, from: fromTime, until: untilTime }), position, last, entries],
  )
  const lines: string[] = []
  let looked = 0
  let length = 0
  let end: string | null = null
  const opened = await openEntries(reader, actor, rows)
  for (const [index, entry] of opened.entries()) {
    looked += 1
    end = entry.id
    if (!rows[index]?.fits) continue
    const line = entryLine(format, entry)
    lines.push(line)
    length += line.length
    if (length >= characters) break
  }
  return {
    content: lines.join(''),
    lines: lines.length,
    looked,
    position: end,
    over: looked === rows.length && rows.length < entries,
  }
}

/** Takes away the parts of exports that ended a week ago, or were cancelled, of every tenant; answers with how many exports' those were. */
export async function deleteOldExportParts({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from audit_export_part p using (
       select x.organization_id, x.export_id, x.number from audit_export_part x
       join audit_export e on e.organization_id = x.organization_id and e.id = x.export_id
       where e.status = 'cancelled' or e.ended_at < clock_timestamp() - interval '${KEPT}' limit 500) o
     where p.organization_id = o.organization_id and p.export_id = o.export_id and p.number = o.number`,
  )
  return rowCount ?? 0
}
