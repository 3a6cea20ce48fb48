import { parseInput } from '@tutti/runtime'
import { type Actor, fail, type Problem } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { line, optionalId } from '../input/text.ts'
import type { ApprovalRow } from './approval-row.ts'
import { digestOf } from './digest-of.ts'
import { type Question, questionSchema } from './question.ts'
import { writeApproval } from './write-approval.ts'

const fromSchema = z.object({
  requestKey: line(500),
  runId: optionalId(),
  taskId: optionalId(),
  /** The agent for which the caller asks; it may not decide either. */
  agentId: optionalId(),
})
const inputSchema = z.intersection(questionSchema, fromSchema)

export type RequestApprovalInput = z.input<typeof inputSchema>

/**
 * Asks people. The same request key with the same question returns the same approval; with another question it is
 * IDEMPOTENCY_KEY_REUSED. BAD_INPUT with all mistakes; also when an agent asks for what is approved by time alone.
 */
export async function requestApproval(
  { database }: DomainServices,
  actor: Actor,
  input: RequestApprovalInput,
): Promise<ApprovalRow> {
  const { agentId, ...question } = parseInput(inputSchema, input)
  if (actor.kind === 'agent' || actor.agentId !== undefined) refuseSelfApproval(question)
  const { approval, created } = await database.inSql(actor, (tx) =>
    writeApproval(tx, {
      ...question,
      requestedBy: actorRef(actor, agentId ?? undefined),
      runId: question.runId ?? null,
      taskId: question.taskId ?? null,
    }),
  )
  if (!created && approval.digest !== digestOf(question)) {
    fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
  }
  return approval
}

function refuseSelfApproval({ stages }: Question): void {
  const problems = stages.flatMap(({ onDeadline }, index): Problem[] =>
    onDeadline === 'approve'
      ? [
          {
            code: 'custom',
            message: 'An agent cannot ask for what is approved by time alone.',
            path: `input.stages.${index}.onDeadline`,
          },
        ]
      : [],
  )
  const [first] = problems
  if (first) fail('BAD_INPUT', { problems, path: first.path ?? 'input', message: first.message })
}
