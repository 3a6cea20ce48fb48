import type { TenantTransaction } from '@tutti/prisma'
import type { ActorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { digestOf } from './digest-of.ts'

/** A question as it is written. */
export interface NewApproval {
  requestKey: string
  title: string
  action: string
  arguments: unknown
  reason: string
  requestedBy: ActorRef
  runId: string | null
  taskId: string | null
  expiresAt: Date | null
}

/**
 * Writes a question in the caller's transaction, once a request key: `created` is false when it was there already.
 * Events: approval.requested. Audit: an execution.
 */
export async function writeApproval(
  tx: TenantTransaction,
  question: NewApproval,
): Promise<{ approval: ApprovalRow; created: boolean }> {
  const { organizationId } = tx.actor
  const digest = digestOf(question)
  const [approval] = await tx.sql<ApprovalRow>(
    `insert into approval (organization_id, request_key, title, action, arguments, digest, reason, requested_by, run_id,
       task_id, expires_at)
     values ($1::uuid, $2, $3, $4, $5::jsonb, $6, $7, $8::jsonb, $9::uuid, $10::uuid, $11::timestamptz)
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
    question.expiresAt,
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
      context: { action: approval.action, digest, runId, requestedBy: question.requestedBy },
      options_considered: ['approve', 'reject'],
      reasoning: approval.reason,
      outcome: 'pending',
    },
    subject: `approval/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
  return { approval, created: true }
}

async function readExisting(tx: TenantTransaction, requestKey: string): Promise<ApprovalRow> {
  const [existing] = await tx.sql<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1::uuid and request_key = $2`,
    tx.actor.organizationId,
    requestKey,
  )
  if (!existing) throw new Error('An approval was there and is not.')
  return existing
}
