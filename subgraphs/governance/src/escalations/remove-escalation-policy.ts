import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import type { PolicyScope } from './escalation-policy-row.ts'

/**
 * Takes a policy away; what it was for has that of the next wider. Answers with its id. Events:
 * escalation_policy.changed. Audit: a decision. NOT_FOUND when there is none.
 */
export async function removeEscalationPolicy(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<string> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<{ scope: PolicyScope; scopeId: string }>(
      `delete from escalation_policy where organization_id = $1::uuid and id = $2::uuid
       returning scope, scope_id as "scopeId"`,
      actor.organizationId,
      id,
    )
    if (!row) fail('NOT_FOUND', { path: 'input.id' })
    await tx.appendEvent({
      type: 'escalation_policy.changed',
      subject: `escalationPolicy/${id}`,
      data: { ...row, change: 'removed' },
    })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'governance',
      summary: `Escalation policy of ${row.scope} ${row.scopeId} was removed.`,
      details: { context: row, decision: 'remove', outcome: 'removed' },
      significance: 'compliance',
      subject: `escalationPolicy/${id}`,
    })
    return id
  })
}
