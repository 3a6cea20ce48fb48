import type { ClaimedTask } from '@tutti/workflows/domain'
import { z } from 'zod'

const decisionSchema = z.object({
  approvalId: z.string(),
  decision: z.enum(['approved', 'rejected', 'expired']),
  decidedBy: z.string(),
  comment: z.string().nullable(),
  arguments: z.unknown(),
})

export type Decision = z.infer<typeof decisionSchema>

/** The decision a resumed task was waiting for; undefined the first time. */
export function readDecision({ input }: Pick<ClaimedTask, 'input'>): Decision | undefined {
  return input['$decision'] === undefined ? undefined : decisionSchema.parse(input['$decision'])
}
