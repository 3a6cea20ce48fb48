import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { jsonValue } from '../input/json-value.ts'
import { prose } from '../input/text.ts'
import type { ApprovalRow } from './approval-row.ts'
import { isApproved, isLate, isPending, mayResubmit, wantsChanges } from './approval-status.ts'
import { requireFit } from './arguments-schema.ts'
import { digestOf } from './digest-of.ts'
import { enterStage } from './enter-stage.ts'
import { lockApproval } from './lock-approval.ts'

const inputSchema = z.object({
  id: z.string(),
  arguments: jsonValue(),
  preview: jsonValue().nullish(),
  reason: prose().nullish(),
})

/**
 * Asks anew, with other arguments, what went back for changes: its stages begin from the first, and what was decided until
 * then is history. Whoever does it is one of its authors from now on. Again, it returns the approval.
 * Events: approval.resubmitted. Audit: an execution. Errors: NOT_FOUND, SEPARATION_OF_DUTIES (somebody else asked),
 * INVALID_STATE (no changes were asked for, or its time has passed), CONFLICT (it is approved; a denial is recorded), BAD_INPUT.
 */
export async function resubmitApproval(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<ApprovalRow> {
  const given = parseInput(inputSchema, input)
  const { id } = given
  const tried = { action: 'Mutation.resubmitApproval', subject: `approval/${id}`, denials: ['CONFLICT'] }
  return recordingRefusal(services, actor, tried, () =>
    services.database.inTenant(actor, async (tx) => {
      const approval = await lockApproval(tx, id)
      if (!mayResubmit(approval, actor))
        fail('SEPARATION_OF_DUTIES', {
          path: 'input.id',
          message: 'Whoever asked or wrote it asks anew, and nobody else.',
        })
      const digest = digestOf({ action: approval.action, arguments: given.arguments })
      if (isPending(approval) && approval.round > 1 && approval.digest === digest) return approval
      if (!wantsChanges(approval))
        // What was approved is not changed any more: that somebody tried is on record.
        fail(isApproved(approval) ? 'CONFLICT' : 'INVALID_STATE', {
          path: 'input.id',
          hint: 'No changes are asked for.',
        })
      if (isLate(approval))
        fail('INVALID_STATE', { path: 'input.id', hint: 'DUE: its time has passed, and its rule decides.' })
      requireFit(approval, given.arguments, 'input.arguments')
      const round = approval.round + 1
      await tx.sql(
        `update approval set arguments = $3::jsonb, digest = $4, preview = $5::jsonb, reason = coalesce($6, reason),
           round = $7::int, comment = null,
           authors = case when $8 = any(authors) then authors else authors || $8 end
         where organization_id = $1::uuid and id = $2::uuid returning id`,
        actor.organizationId,
        id,
        JSON.stringify(given.arguments),
        digest,
        given.preview == null ? null : JSON.stringify(given.preview),
        given.reason ?? null,
        round,
        actor.id,
      )
      const entered = await enterStage(tx, approval, 0)
      const { runId, taskId } = approval
      await tx.appendEvent({
        type: 'approval.resubmitted',
        subject: `approval/${id}`,
        data: { approvalId: id, runId, taskId, round, digest },
      })
      await writeAuditEntry(tx, {
        actionType: 'execution',
        domain: 'governance',
        summary: `Approval asked for anew: ${approval.title}`,
        details: {
          context: { action: approval.action, digest, previousDigest: approval.digest, round, runId },
          reasoning: given.reason ?? '',
          outcome: 'pending',
        },
        subject: `approval/${id}`,
        relatedTasks: taskId === null ? [] : [taskId],
      })
      return entered
    }),
  )
}
