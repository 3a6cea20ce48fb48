import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { questionSchema } from '../approvals/question.ts'
import { writeApproval } from '../approvals/write-approval.ts'
import type { DomainServices } from '../context.ts'
import { jsonValue } from '../input/json-value.ts'
import { line, optionalId, prose } from '../input/text.ts'
import { LEVELS } from './escalation-level.ts'
import type { EscalationRow } from './escalation-row.ts'
import { readEscalation, writeEscalation } from './write-escalation.ts'

const inputSchema = z.object({
  requestKey: line(500),
  title: line(),
  reason: prose(),
  level: z.enum(LEVELS),
  context: jsonValue().default({}),
  runId: optionalId(),
  taskId: optionalId(),
  /** Where it comes from: whose policy says who is responsible. */
  teamId: optionalId(),
  domainId: optionalId(),
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
          })
        ).approval.id
      : null
    const place = { teamId: parsed.teamId ?? null, domainId: parsed.domainId ?? null }
    return writeEscalation(tx, { ...parsed, ...from, ...place, approvalId, openedBy })
  })
}
