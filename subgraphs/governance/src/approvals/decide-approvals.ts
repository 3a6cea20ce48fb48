import { randomUUID } from 'node:crypto'
import { parseInput } from '@tutti/runtime'
import { type Actor, ERRORS, TuttiError } from '@tutti/schema'
import { z } from 'zod'
import { recordFailure } from '../audit/record-failure.ts'
import type { Services } from '../context.ts'
import type { ApprovalRow } from './approval-row.ts'
import { decideApproval } from './decide-approval.ts'

const MOST = 100
type Needed = Pick<Services, 'database' | 'log'>
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
 * What fails on our side is INTERNAL for that one, and on record: what was decided before and after it stands.
 * Output: one result each, in order. BAD_INPUT when there are none or more than 100.
 */
export async function decideApprovals(
  services: Needed,
  actor: Actor,
  input: unknown,
): Promise<DecisionOutcome[]> {
  const { decisions } = parseInput(inputSchema, input)
  const results: DecisionOutcome[] = []
  for (const decision of decisions) results.push(await decideOne(services, actor, decision))
  return results
}

async function decideOne(services: Needed, actor: Actor, decision: { id: string }): Promise<DecisionOutcome> {
  const { id } = decision
  try {
    return { id, approval: await decideApproval(services, actor, decision), error: null }
  } catch (error) {
    const { code, message, hint } =
      error instanceof TuttiError ? error : await internal(services, actor, id, error)
    return { id, approval: null, error: { code, message, hint: hint ?? null } }
  }
}

/** The log has what it was; the trail that it was, unless that fails too, as when the database is gone. */
async function internal(
  services: Needed,
  actor: Actor,
  target: string,
  error: unknown,
): Promise<{ code: 'INTERNAL'; message: string; hint: string }> {
  const reference = randomUUID()
  services.log.error({ err: error, reference, approval: target }, 'one of several decisions failed')
  try {
    await recordFailure(services, actor, { mutation: 'decideApprovals', target })
  } catch (failure) {
    services.log.error({ err: failure, reference }, 'a failure could not be recorded')
  }
  return {
    code: 'INTERNAL',
    message: ERRORS.INTERNAL.message,
    hint: `Decide it again. Reference: ${reference}`,
  }
}
