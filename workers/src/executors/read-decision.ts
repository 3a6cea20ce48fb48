import type { ClaimedTask } from '@tutti/workflows/domain'
import { z } from 'zod'

const decisionSchema = z.object({
  approvalId: z.string(),
  decision: z.enum(['approved', 'rejected', 'expired']),
  decidedBy: z.string(),
  comment: z.string().nullable(),
  arguments: z.unknown(),
  /** Whose task it was then: another agent's may have taken it over since. */
  agentId: z.string().nullish(),
})

export type Decision = z.infer<typeof decisionSchema>

/** Under this name it is in the task's input. */
export const DECISION = '$decision'

/** The decision a resumed task was waiting for; undefined the first time, and of what was decided for another agent. */
export function readDecision(
  { input }: Pick<ClaimedTask, 'input'>,
  agent: { id: string },
): Decision | undefined {
  if (input[DECISION] === undefined) return undefined
  const decision = decisionSchema.parse(input[DECISION])
  return decision.agentId == null || decision.agentId === agent.id ? decision : undefined
}

/** The task's input without it: for executors that were to wait for people, and ask nobody themselves. */
export function withoutDecision({ input }: Pick<ClaimedTask, 'input'>): Record<string, unknown> {
  const { [DECISION]: _, ...given } = input
  return given
}
