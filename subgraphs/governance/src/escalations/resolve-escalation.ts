import type { TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { isOpen } from '../approvals/approval-status.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import { canResolve } from './escalation-status.ts'
import { writeStep } from './escalation-step.ts'
import { lockEscalation } from './lock-escalation.ts'

const inputSchema = z.object({ id: z.string(), resolution: prose() })

/**
 * Settles an escalation by hand. One that asks for a decision is settled by its approval, unless that expired. Events:
 * escalation.resolved. NOT_FOUND, or INVALID_STATE when it is settled or must be decided.
 */
export async function resolveEscalation(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<EscalationRow> {
  const { id, resolution } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const escalation = await lockEscalation(tx, id)
    if (!canResolve(escalation.status)) {
      fail('INVALID_STATE', { path: 'input.id', hint: 'It is settled already.' })
    }
    if (escalation.approvalId !== null && (await waitsForDecision(tx, escalation.approvalId))) {
      fail('INVALID_STATE', { path: 'input.id', hint: 'Decide its approval; that settles it.' })
    }
    const [row] = await tx.sql<EscalationRow>(
      `update escalation set status = 'resolved', resolution = $3, resolved_by = $4::jsonb, resolved_at = now(),
         due_at = null
       where organization_id = $1::uuid and id = $2::uuid returning ${ESCALATION_COLUMNS}`,
      actor.organizationId,
      id,
      resolution,
      JSON.stringify(actorRef(actor)),
    )
    if (!row) fail('NOT_FOUND', { path: 'input.id' })
    await writeStep(tx, row, { kind: 'resolved', text: resolution })
    await tx.appendEvent({
      type: 'escalation.resolved',
      subject: `escalation/${id}`,
      data: { escalationId: id, resolution },
    })
    await writeAuditEntry(tx, {
      actionType: 'escalation',
      domain: 'governance',
      summary: `Escalation settled: ${escalation.title}`,
      details: { decision: 'resolve', reasoning: resolution, outcome: 'resolved' },
      subject: `escalation/${id}`,
      relatedTasks: escalation.taskId === null ? [] : [escalation.taskId],
    })
    return row
  })
}

async function waitsForDecision(tx: TenantTransaction, approvalId: string): Promise<boolean> {
  const [approval] = await tx.sql<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1::uuid and id = $2::uuid`,
    tx.actor.organizationId,
    approvalId,
  )
  return approval !== undefined && isOpen(approval)
}
