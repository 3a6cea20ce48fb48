import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { maySeeSensitive } from '../audit/audit-filter.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import { lower } from '../extensions/upper.ts'
import { EXPORT_COLUMNS, type ExportFilters, type ExportRow } from './export-row.ts'

const filtersSchema = z.object({
  subject: line().nullish(),
  actionType: line().nullish(),
  actor: line().nullish(),
  domain: line().nullish(),
  task: line().nullish(),
  text: line(1_000).nullish(),
  classification: line().nullish(),
  significance: line().nullish(),
})

const inputSchema = z
  .object({
    format: z.enum(['JSONL', 'CSV']),
    from: z.date().nullish(),
    until: z.date().nullish(),
    filters: filtersSchema.nullish(),
  })
  .refine(({ from, until }) => !from || !until || from < until, {
    path: ['until'],
    message: 'Must be after `from`.',
  })

/** What of the record is sealed: a checkpoint's clock is the sealer's, and an event's the database's. */
const CLOCKS_DIFFER = '5 minutes'

/**
 * Asks for an export, which a worker writes. JSONL without filters is the record itself, in whole checkpoints, as far as it
 * is sealed, and has everything in it: only who may see what is sensitive may have it. BAD_INPUT, FORBIDDEN. Events:
 * audit.exported. Audit: an entry.
 */
export async function exportAudit(
  { database }: DomainServices,
  actor: Actor,
  given: unknown,
): Promise<ExportRow> {
  const { format, from, until, filters } = parseInput(inputSchema, given)
  const kept: ExportFilters = Object.fromEntries(
    Object.entries(filters ?? {}).filter(([, value]) => value != null),
  )
  const verifiable = format === 'JSONL' && Object.keys(kept).length === 0
  const sensitive = maySeeSensitive(actor)
  if (verifiable && !sensitive)
    fail('FORBIDDEN', {
      path: 'input.filters',
      message: 'The whole record has entries that are sensitive.',
      hint: 'Ask with the scope audit:sensitive, or give filters.',
    })
  return database.inTenant(actor, async (tx) => {
    const range = verifiable ? RECORD : TRAIL
    const [row] = await tx.sql<ExportRow>(
      `with range as (${range})
       insert into audit_export (organization_id, format, verifiable, filters, from_time, until_time, sensitive, status, total,
         position, last, first_sequence, last_sequence, requested_by)
       select $1::uuid, $2, $3, $4::jsonb, $5::timestamptz, $6::timestamptz, $7, 'running', total, position, last,
         first_sequence, last_sequence, $8::jsonb from range
       returning ${EXPORT_COLUMNS}`,
      actor.organizationId,
      lower(format),
      verifiable,
      JSON.stringify(kept),
      from?.toISOString() ?? null,
      until?.toISOString() ?? null,
      sensitive,
      JSON.stringify(actorRef(actor)),
    )
    if (!row) throw new Error('An insert answered with no row.')
    const period = `${from?.toISOString() ?? 'the beginning'} to ${until?.toISOString() ?? 'now'}`
    await tx.appendEvent({
      type: 'audit.exported',
      subject: `audit_export/${row.id}`,
      data: {
        exportId: row.id,
        format: row.format,
        verifiable,
        from: from?.toISOString() ?? null,
        until: until?.toISOString() ?? null,
        filters: { ...kept },
      },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'audit',
      summary: `${actor.name} exported ${verifiable ? 'the record' : 'the audit trail'}, ${period}.`,
      details: { context: { format, filters: { ...kept }, sensitive }, outcome: 'requested' },
      significance: 'compliance',
      subject: `audit_export/${row.id}`,
    })
    return row
  })
}

/** Whole checkpoints that have what happened within the time; what none covers yet follows the last one. */
const RECORD = `
  select first_sequence, last_sequence, greatest(0, last_sequence - first_sequence + 1) as total,
    (first_sequence - 1)::text as position, last_sequence::text as last
  from (select
    coalesce((select c.first_sequence from audit_checkpoint c where c.organization_id = $1::uuid
        and c.time >= $5::timestamptz - interval '${CLOCKS_DIFFER}' order by c.number limit 1),
      case when $5::timestamptz is null then 1
        else coalesce((select max(c.last_sequence) from audit_checkpoint c where c.organization_id = $1::uuid), 0) + 1 end)
      as first_sequence,
    coalesce((select c.last_sequence from audit_checkpoint c where c.organization_id = $1::uuid and c.last_event_seq >= (
        select e.seq from log.event e where e.organization_id = $1::uuid and e.time < $6::timestamptz order by e.seq desc limit 1)
      order by c.number limit 1),
      (select max(s.sequence) from audit_seal s where s.organization_id = $1::uuid), 0) as last_sequence) r`

/** All entries up to now; those that fit are picked out of them as they are looked at. */
const TRAIL = `
  select null::bigint as first_sequence, null::bigint as last_sequence, count(*) as total, null::text as position,
    (select id::text from audit_entry where organization_id = $1::uuid order by id desc limit 1) as last
  from audit_entry where organization_id = $1::uuid`
