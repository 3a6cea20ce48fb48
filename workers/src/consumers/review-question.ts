import type { Database } from '@tutti/prisma'
import type { JsonSchema } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'

const reviewSchema = z.object({
  question: z.string().optional(),
  role: z.string().optional(),
  deadlineMs: z.number().optional(),
  argumentsSchema: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
})

const SOONEST_MS = 1_000
const APPROVER = 'approver'
/** Characters of a question's title, its action and the role it asks. */
export const LONGEST = 200

export interface ReviewQuestion {
  title?: string
  arguments: Record<string, unknown>
  expiresAt?: Date
  /** What other arguments must look like; absent: there are no others. */
  argumentsSchema?: JsonSchema
  /** Who decides; absent: approvers and administrators. */
  stages?: [{ roles: [string] }]
}

/** What a review's task asks: the step's question, its inputs as the arguments, and whoever has its role. */
export async function reviewQuestion(
  { database }: { database: Database },
  actor: Actor,
  taskId: string,
): Promise<ReviewQuestion> {
  const [row] = await database.readTenant<{ input: Record<string, unknown>; created_at: Date }>(
    actor,
    'select input, created_at from task where organization_id = $1 and id = $2',
    [actor.organizationId, taskId],
  )
  const { $review, ...input } = row?.input ?? {}
  const { question, deadlineMs, role, argumentsSchema } = reviewSchema.catch({}).parse($review)
  // When no worker ran meanwhile the deadline may have passed: it is asked all the same, and expires at once.
  const soonest = Date.now() + SOONEST_MS
  return {
    ...(question ? { title: question.slice(0, LONGEST) } : {}),
    arguments: input,
    ...(argumentsSchema === undefined ? {} : { argumentsSchema }),
    ...(role === undefined || role === APPROVER
      ? {}
      : { stages: [{ roles: [role.trim().slice(0, LONGEST)] }] }),
    ...(deadlineMs && row
      ? { expiresAt: new Date(Math.max(row.created_at.getTime() + deadlineMs, soonest)) }
      : {}),
  }
}
