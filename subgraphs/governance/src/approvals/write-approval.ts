import type { SqlTransaction } from '@tutti/prisma'
import type { ActorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { digestOf } from './digest-of.ts'
import { stageClockColumns, stageClocks } from './enter-stage.ts'
import { openToAdministrators } from './open-to-administrators.ts'
import type { Question } from './question.ts'

/** A question as it is written. */
export interface NewApproval extends Question {
  requestKey: string
  requestedBy: ActorRef
  runId: string | null
  taskId: string | null
}

const [EXPIRES_AT, REMIND_AT, ON_DEADLINE] = stageClockColumns(18, '$17::timestamptz')

/**
 * Writes a question in the caller's transaction, once a request key: `created` is false when it was there already.
 * Events: approval.requested. Audit: an execution.
 */
export async function writeApproval(
  tx: SqlTransaction,
  question: NewApproval,
): Promise<{ approval: ApprovalRow; created: boolean }> {
  const { organizationId } = tx.actor
  const digest = digestOf(question)
  const [approval] = await tx.sql<ApprovalRow>(
    `insert into approval (organization_id, request_key, title, action, arguments, digest, reason, requested_by, run_id,
       task_id, preview, risk, cost_usd, authors, stages, allows_changes, closes_at, expires_at, remind_at, on_deadline,
       arguments_schema)
     values ($1::uuid, $2, $3, $4, $5::jsonb, $6, $7, $8::jsonb, $9::uuid, $10::uuid, $11::jsonb, $12, $13::float8,
       array(select jsonb_array_elements_text($14::jsonb)), $15::jsonb, $16::boolean, $17::timestamptz,
       ${EXPIRES_AT}, ${REMIND_AT}, ${ON_DEADLINE}, $21::jsonb)
     on conflict (organization_id, request_key) do nothing returning ${APPROVAL_COLUMNS}`,
    organizationId,
    question.requestKey,
    question.title,
    question.action,
    JSON.stringify(question.arguments),
    digest,
    question.reason,
    JSON.stringify(question.requestedBy),
    question.runId,
    question.taskId,
    question.preview === null ? null : JSON.stringify(question.preview),
    question.risk,
    question.costUsd,
    JSON.stringify(question.authors),
    JSON.stringify(question.stages),
    question.allowsChanges,
    question.expiresAt,
    ...stageClocks(question.stages[0]),
    question.argumentsSchema === null ? null : JSON.stringify(question.argumentsSchema),
  )
  if (!approval) return { approval: await readExisting(tx, question.requestKey), created: false }
  const { id, runId, taskId } = approval
  await tx.appendEvent({
    type: 'approval.requested',
    subject: `approval/${id}`,
    data: { approvalId: id, runId, taskId, digest },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'governance',
    summary: `Approval asked for: ${approval.title}`,
    details: {
      context: {
        action: approval.action,
        digest,
        runId,
        requestedBy: question.requestedBy,
        authors: approval.authors,
        risk: approval.risk,
        costUsd: approval.costUsd,
        stages: approval.stages,
      },
      options_considered: ['approve', 'reject', 'ask for changes'],
      reasoning: approval.reason,
      outcome: 'pending',
    },
    subject: `approval/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
  return { approval: await openToAdministrators(tx, approval), created: true }
}

async function readExisting(tx: SqlTransaction, requestKey: string): Promise<ApprovalRow> {
  const [existing] = await tx.sql<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1::uuid and request_key = $2`,
    tx.actor.organizationId,
    requestKey,
  )
  if (!existing) throw new Error('An approval was there and is not.')
  return existing
}
