import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { actorRef } from './actor-ref.ts'
import { behind, requirePerson } from './behind.ts'
import { BREAK_GLASS_COLUMNS, BREAK_GLASS_TABLES, type BreakGlassRow } from './break-glass-row.ts'

const inputSchema = z.object({ id: z.string(), review: prose() })

/**
 * Says what was found when somebody else looked at what was done with broken glass; once. Events:
 * access.break_glass_reviewed. Audit: a decision. NOT_FOUND; SEPARATION_OF_DUTIES (a denial) for whoever broke it, and who is
 * no person; INVALID_STATE while it lasts, ALREADY_DECIDED.
 */
export async function reviewBreakGlass(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<BreakGlassRow> {
  const { id, review } = parseInput(inputSchema, input)
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const tried = { action: 'Mutation.reviewBreakGlass', subject: `breakGlass/${id}` }
  return recordingRefusal(services, actor, tried, () =>
    services.database.inTenant(actor, async (tx) => {
      const read = async (lock = '') =>
        (
          await tx.sql<BreakGlassRow & { lasts: boolean }>(
            `select ${BREAK_GLASS_COLUMNS}, least(a.expires_at, a.revoked_at) > clock_timestamp() as lasts
           from ${BREAK_GLASS_TABLES} where b.organization_id = $1::uuid and b.id = $2::uuid ${lock}`,
            actor.organizationId,
            id,
          )
        )[0]
      const before = await read('for update of b')
      if (!before) return fail('NOT_FOUND', { path: 'input.id' })
      requirePerson(actor, 'input.id')
      if (behind(actor).includes(before.principalId) || before.principalId === actor.onBehalfOf?.id)
        fail('SEPARATION_OF_DUTIES', { path: 'input.id', message: 'Somebody else reviews it.' })
      if (before.reviewedAt !== null) fail('ALREADY_DECIDED', { path: 'input.id' })
      if (before.lasts) {
        fail('INVALID_STATE', {
          path: 'input.id',
          message: 'It lasts still.',
          hint: 'End it first: revokeAssignment with its assignmentId.',
        })
      }
      await tx.sql(
        `update break_glass set reviewed_at = now(), reviewed_by = $3::jsonb, review = $4
       where organization_id = $1::uuid and id = $2::uuid returning id`,
        actor.organizationId,
        id,
        JSON.stringify(actorRef(actor)),
        review,
      )
      await tx.appendEvent({
        type: 'access.break_glass_reviewed',
        subject: `breakGlass/${id}`,
        data: { breakGlassId: id, principalId: before.principalId },
      })
      await writeAuditEntry(tx, {
        actionType: 'decision',
        domain: 'access',
        summary: `What ${before.principalName} did with broken glass was reviewed.`,
        details: { context: { incidentId: before.incidentId }, reasoning: review, outcome: 'reviewed' },
        significance: 'compliance',
        subject: `breakGlass/${id}`,
        dataSubject: `person/${before.principalId}`,
      })
      return (await read()) ?? fail('INTERNAL')
    }),
  )
}
