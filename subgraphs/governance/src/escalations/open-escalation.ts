import type { TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { questionSchema } from '../approvals/request-approval.ts'
import { writeApproval } from '../approvals/write-approval.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { jsonValue } from '../input/json-value.ts'
import { line, optionalId, prose } from '../input/text.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'

const inputSchema = z.object({
  requestKey: line(500),
  title: line(),
  reason: prose(),
  level: z.enum(['agent', 'domain', 'enterprise', 'person']),
  context: jsonValue().default({}),
  runId: optionalId(),
  taskId: optionalId(),
  /** The agent that escalates, when the platform does it on its behalf; it may not decide the approval. */
  agentId: optionalId(),
  /** The decision it asks for; opened in the same transaction. */
  approval: questionSchema.nullish(),
})

export type OpenEscalationInput = z.input<typeof inputSchema>

/**
 * Opens an escalation, and the approval it asks for, once a request key: again, it returns what is there. The
 * approval's id is in `approvalId`. Events: approval.requested, escalation.opened. BAD_INPUT with all mistakes.
 */
export async function openEscalation(
  { database }: DomainServices,
  actor: Actor,
  input: OpenEscalationInput,
): Promise<EscalationRow> {
  const parsed = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const existing = await readEscalation(tx, parsed.requestKey)
    if (existing) return existing
    const openedBy = actorRef(actor, parsed.agentId ?? undefined)
    const from = { runId: parsed.runId ?? null, taskId: parsed.taskId ?? null }
    const approvalId = parsed.approval
      ? (
          await writeApproval(tx, {
            ...parsed.approval,
            ...from,
            requestKey: `escalation/${parsed.requestKey}`,
            requestedBy: openedBy,
            expiresAt: parsed.approval.expiresAt ?? null,
          })
        ).approval.id
      : null
    const [escalation] = await tx.sql<EscalationRow>(
      `insert into escalation (organization_id, request_key, title, reason, level, context, run_id, task_id, approval_id,
         opened_by)
       values ($1::uuid, $2, $3, $4, $5, $6::jsonb, $7::uuid, $8::uuid, $9::uuid, $10::jsonb)
       on conflict (organization_id, request_key) do nothing returning ${ESCALATION_COLUMNS}`,
      actor.organizationId,
      parsed.requestKey,
      parsed.title,
      parsed.reason,
      parsed.level,
      JSON.stringify(parsed.context),
      from.runId,
      from.taskId,
      approvalId,
      JSON.stringify(openedBy),
    )
    if (!escalation) return (await readEscalation(tx, parsed.requestKey)) ?? gone()
    await recordOpening(tx, escalation)
    return escalation
  })
}

async function readEscalation(tx: TenantTransaction, requestKey: string): Promise<EscalationRow | undefined> {
  const [row] = await tx.sql<EscalationRow>(
    `select ${ESCALATION_COLUMNS} from escalation where organization_id = $1::uuid and request_key = $2`,
    tx.actor.organizationId,
    requestKey,
  )
  return row
}

async function recordOpening(tx: TenantTransaction, escalation: EscalationRow): Promise<void> {
  const { id, level, runId, taskId, title, reason, approvalId, openedBy } = escalation
  await tx.appendEvent({
    type: 'escalation.opened',
    subject: `escalation/${id}`,
    data: { escalationId: id, level, runId, taskId },
  })
  await writeAuditEntry(tx, {
    actionType: 'escalation',
    domain: 'governance',
    summary: `Escalated to ${level}: ${title}`,
    details: {
      context: { runId, approvalId, openedBy },
      decision: 'escalate',
      reasoning: reason,
      outcome: 'open',
    },
    subject: `escalation/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
}

function gone(): never {
  throw new Error('An escalation was there and is not.')
}
