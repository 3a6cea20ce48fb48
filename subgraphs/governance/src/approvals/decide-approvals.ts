import { parseInput } from '@tutti/runtime'
import { type Actor, TuttiError } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import type { ApprovalRow } from './approval-row.ts'
import { decideApproval } from './decide-approval.ts'

const MOST = 100
const inputSchema = z.object({
  decisions: z
    .array(z.looseObject({ id: z.string() }))
    .min(1, 'At least one decision.')
    .max(MOST, `At most ${MOST} decisions.`),
})

/** What became of one decision of several: the approval after it, or why it was refused. */
export interface DecisionOutcome {
  id: string
  approval: ApprovalRow | null
  error: { code: string; message: string; hint: string | null } | null
}

/**
 * Decides several approvals, one after the other, each by itself as `decideApproval` does: one's refusal is not the others'.
 * Output: one result each, in order. BAD_INPUT when there are none or more than 100.
 */
export async function decideApprovals(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<DecisionOutcome[]> {
  const { decisions } = parseInput(inputSchema, input)
  const results: DecisionOutcome[] = []
  for (const decision of decisions) results.push(await decideOne(services, actor, decision))
  return results
}

async function decideOne(
  services: DomainServices,
  actor: Actor,
  decision: { id: string },
): Promise<DecisionOutcome> {
  const { id } = decision
  try {
    return { id, approval: await decideApproval(services, actor, decision), error: null }
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error
    return {
      id,
      approval: null,
      error: { code: error.code, message: error.message, hint: error.hint ?? null },
    }
  }
}
