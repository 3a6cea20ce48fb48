import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { openToResponsible } from '../approvals/open-to-responsible.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { personOf } from '../on-call/person-of.ts'
import { assigneeOf, enterLevel } from './enter-level.ts'
import { levelSchema } from './escalation-level.ts'
import type { EscalationRow } from './escalation-row.ts'
import { canMove, ruleAt } from './escalation-status.ts'
import { writeStep } from './escalation-step.ts'
import { lockWithApproval } from './lock-with-approval.ts'
import { readLadder } from './read-ladder.ts'

const inputSchema = z
  .object({ id: z.string(), to: line().nullish(), level: levelSchema().nullish(), reason: prose() })
  .refine(({ to, level }) => to != null || level != null, {
    path: ['to'],
    message: 'Say to whom, or on which level, or both.',
  })

/**
 * Gives an escalation to a person, to those of a level, or both: then the person has it on that level. Its times begin
 * anew, and they may decide the approval that it waits for, as {@link openToResponsible} says. Events:
 * escalation.reassigned, approval.escalated. Audit: an escalation. NOT_FOUND, also for an id of nobody; INVALID_STATE when it is
 * settled.
 */
export async function reassignEscalation(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<EscalationRow> {
  const { id, to, level, reason } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const { escalation, approval } = await lockWithApproval(tx, id)
    if (!canMove(escalation.status)) fail('INVALID_STATE', { path: 'input.id', hint: 'It is settled.' })
    const rule = ruleAt(await readLadder(tx, escalation), level ?? escalation.level)
    const assignee = to == null ? await assigneeOf(tx, rule.responsible) : await personOf(tx, to, 'input.to')
    const moved = await enterLevel(tx, id, { ...rule, level: level ?? escalation.level }, assignee)
    await writeStep(tx, moved, { kind: 'reassigned', fromLevel: escalation.level, text: reason })
    await tx.appendEvent({
      type: 'escalation.reassigned',
      subject: `escalation/${id}`,
      data: { escalationId: id, level: moved.level, assignedToId: assignee?.id ?? null, reason },
    })
    const decides = await openToResponsible(tx, approval, moved)
    await writeAuditEntry(tx, {
      actionType: 'escalation',
      domain: 'governance',
      summary: `Reassigned: ${escalation.title}`,
      details: {
        context: {
          from: escalation.assignedTo ?? escalation.responsible,
          to: assignee ?? moved.responsible,
          ...(decides ? { decides } : {}),
        },
        decision: 'reassign',
        reasoning: reason,
        outcome: 'open',
      },
      subject: `escalation/${id}`,
      relatedTasks: escalation.taskId === null ? [] : [escalation.taskId],
    })
    return moved
  })
}
