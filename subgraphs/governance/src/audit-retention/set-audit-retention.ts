import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { LEAST_DAYS, RETENTION_COLUMNS, RETENTION_DEFAULT, type RetentionRow } from './retention-row.ts'

const MOST_DAYS = 36_525
const days = (least: number) =>
  z.number().int().min(least, `At least ${least} days.`).max(MOST_DAYS, `At most ${MOST_DAYS} days.`)

const inputSchema = z.object({
  standardDays: days(LEAST_DAYS.standard),
  significantDays: days(LEAST_DAYS.significant),
  complianceDays: days(LEAST_DAYS.compliance),
})

/** Says how long entries are kept: as long as everywhere, or longer. BAD_INPUT. Events: audit.retention_set. Audit: an entry. */
export async function setAuditRetention(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<RetentionRow> {
  const { standardDays, significantDays, complianceDays } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<RetentionRow>(
      `insert into audit_retention (organization_id, standard_days, significant_days, compliance_days, updated_by)
       values ($1::uuid, $2, $3, $4, $5::jsonb)
       on conflict (organization_id) do update set standard_days = excluded.standard_days,
         significant_days = excluded.significant_days, compliance_days = excluded.compliance_days,
         updated_by = excluded.updated_by, updated_at = clock_timestamp()
       returning ${RETENTION_COLUMNS}`,
      actor.organizationId,
      standardDays,
      significantDays,
      complianceDays,
      JSON.stringify(actorRef(actor)),
    )
    if (!row) throw new Error('An insert answered with no row.')
    const data = { standardDays, significantDays, complianceDays }
    await tx.appendEvent({ type: 'audit.retention_set', subject: 'audit/retention', data })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'audit',
      summary: `${actor.name} said how long entries are kept: ${standardDays}, ${significantDays} and ${complianceDays} days.`,
      details: { decision: data },
      significance: 'compliance',
      subject: 'audit/retention',
    })
    return row
  })
}

/** How long the organization's entries are kept. */
export async function readRetention({ database }: DomainServices, actor: Actor): Promise<RetentionRow> {
  const [row] = await database.readTenant<RetentionRow>(
    actor,
    `select ${RETENTION_COLUMNS} from audit_retention where organization_id = $1`,
    [actor.organizationId],
  )
  return row ?? RETENTION_DEFAULT
}
