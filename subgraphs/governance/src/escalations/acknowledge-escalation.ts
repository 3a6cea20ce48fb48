import { type Actor, fail } from '@tutti/schema'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import type { DecisionLink } from '../links/decision-link.ts'
import { useLink } from '../links/use-link.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import { canAcknowledge } from './escalation-status.ts'
import { writeStep } from './escalation-step.ts'
import { lockEscalation } from './lock-escalation.ts'

/**
 * Takes an escalation on; again by the same, it changes nothing. `byLink`: it is done by a link, which is used up by it. Events: escalation.acknowledged. NOT_FOUND, or
 * INVALID_STATE when another has it or it is settled.
 */
export async function acknowledgeEscalation(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
  byLink: DecisionLink | null = null,
): Promise<EscalationRow> {
  return database.inTenant(actor, async (tx) => {
    if (byLink) await useLink(tx, byLink)
    const escalation = await lockEscalation(tx, id)
    if (byLink && byLink.round !== escalation.turn) fail('INVALID_STATE', { path: 'link' })
    if (escalation.status === 'acknowledged' && escalation.acknowledgedBy?.id === actor.id) return escalation
    if (!canAcknowledge(escalation.status)) {
      fail('INVALID_STATE', { path: 'input.id', hint: `It is ${escalation.status} already.` })
    }
    const [row] = await tx.sql<EscalationRow>(
      `update escalation set status = 'acknowledged', acknowledged_by = $3::jsonb, acknowledged_at = now(),
         due_at = resolve_by
       where organization_id = $1::uuid and id = $2::uuid returning ${ESCALATION_COLUMNS}`,
      actor.organizationId,
      id,
      JSON.stringify(actorRef(actor)),
    )
    if (!row) fail('NOT_FOUND', { path: 'input.id' })
    await writeStep(tx, row, { kind: 'acknowledged' })
    await tx.appendEvent({
      type: 'escalation.acknowledged',
      subject: `escalation/${id}`,
      data: { escalationId: id },
    })
    await writeAuditEntry(tx, {
      actionType: 'escalation',
      domain: 'governance',
      summary: `Escalation taken on: ${escalation.title}`,
      details: {
        ...(byLink ? { context: { byLink: byLink.linkId } } : {}),
        decision: 'acknowledge',
        outcome: 'acknowledged',
      },
      subject: `escalation/${id}`,
      relatedTasks: escalation.taskId === null ? [] : [escalation.taskId],
    })
    return row
  })
}
