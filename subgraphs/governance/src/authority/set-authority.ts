import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { entrySchema } from './authority-entry.ts'
import { AUTHORITY_COLUMNS, type AuthorityMatrix, BUILT_IN, differenceOf } from './authority-matrix.ts'
import { rulesMemoryOf } from './rules-memory.ts'

const inputSchema = z.object({
  entries: z
    .array(entrySchema)
    .min(1, 'At least one.')
    .max(2_000, 'At most 2000.')
    .refine(
      (entries) => entries.some(({ level, ruling }) => level === 'enterprise' && ruling === 'alone'),
      'Somebody on level enterprise must decide something alone, or nobody could change this again.',
    ),
  reason: prose(),
  /** What the caller has read: after another change the answer is a conflict. */
  expectedVersion: z.int().nullish(),
})

/**
 * Says anew who may decide what, as the next version. Events: authority.changed, with what is different. Audit: a
 * decision. CONFLICT when another version is current than expected; BAD_INPUT with all mistakes.
 */
export async function setAuthority(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<AuthorityMatrix> {
  const { entries, reason, expectedVersion } = parseInput(inputSchema, input)
  const matrix = await services.database.inTenant(actor, async (tx) => {
    // Whoever comes second waits here, and counts on.
    await tx.sql('select pg_advisory_xact_lock(hashtextextended($1, 45))::text', actor.organizationId)
    const [before = BUILT_IN] = await tx.sql<AuthorityMatrix>(
      `select ${AUTHORITY_COLUMNS} from authority_version where organization_id = $1::uuid order by number desc limit 1`,
      actor.organizationId,
    )
    if (expectedVersion != null && before.version !== expectedVersion)
      fail('CONFLICT', { path: 'input.expectedVersion', hint: `Version ${before.version} is current.` })
    const [after] = await tx.sql<AuthorityMatrix>(
      `insert into authority_version (organization_id, number, entries, reason, set_by)
       values ($1::uuid, $2, $3::jsonb, $4, $5::jsonb) returning ${AUTHORITY_COLUMNS}`,
      actor.organizationId,
      before.version + 1,
      JSON.stringify(entries),
      reason,
      JSON.stringify(actorRef(actor)),
    )
    if (!after) return fail('INTERNAL')
    const { added, removed } = differenceOf(before.entries, entries)
    await tx.appendEvent({
      type: 'authority.changed',
      subject: 'authority',
      data: {
        version: after.version,
        previous: before.version,
        added: added.map((entry) => ({ ...entry })),
        removed: removed.map((entry) => ({ ...entry })),
      },
    })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'governance',
      summary: `Authority matrix, version ${after.version}`,
      details: {
        context: { version: after.version, added, removed, previous: before.version },
        decision: 'set',
        reasoning: reason,
        outcome: 'in force',
      },
      significance: 'compliance',
      subject: 'authority',
    })
    return after
  })
  rulesMemoryOf(services.database).forget(actor.organizationId)
  return matrix
}
