import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { jsonValue } from '../input/json-value.ts'
import { line, optionalId, prose } from '../input/text.ts'
import type { ApprovalRow } from './approval-row.ts'
import { digestOf } from './digest-of.ts'
import { writeApproval } from './write-approval.ts'

/** What is asked of a person: the same in a request of its own and within an escalation. */
export const questionSchema = z.object({
  title: line(),
  action: line(),
  arguments: jsonValue(),
  reason: prose(),
  expiresAt: z
    .date()
    .refine((date) => date.getTime() > Date.now(), 'Must be in the future.')
    .nullish(),
})

const inputSchema = questionSchema.extend({
  requestKey: line(500),
  runId: optionalId(),
  taskId: optionalId(),
  /** The agent for which the caller asks; it may not decide either. */
  agentId: optionalId(),
})

export type RequestApprovalInput = z.input<typeof inputSchema>

/**
 * Asks a person. The same request key with the same question returns the same approval; with another question it is
 * IDEMPOTENCY_KEY_REUSED. BAD_INPUT with all mistakes.
 */
export async function requestApproval(
  { database }: DomainServices,
  actor: Actor,
  input: RequestApprovalInput,
): Promise<ApprovalRow> {
  const { agentId, ...question } = parseInput(inputSchema, input)
  const { approval, created } = await database.inTenant(actor, (tx) =>
    writeApproval(tx, {
      ...question,
      requestedBy: actorRef(actor, agentId ?? undefined),
      runId: question.runId ?? null,
      taskId: question.taskId ?? null,
      expiresAt: question.expiresAt ?? null,
    }),
  )
  if (!created && approval.digest !== digestOf(question)) {
    fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
  }
  return approval
}
