import { loaderOf, parseInput } from '@tutti/runtime'
import { z } from 'zod'
import type { Resolvers } from '../../generated/resolvers.ts'
import { assessQuality } from './assess-quality.ts'
import { loadAssessments, loadAssessmentsOfRuns, loadAssessmentsOfTasks } from './load-assessments.ts'
import { qualityEvents } from './quality-events.ts'
import { referenceTo } from './reference.ts'

const assessInput = z.object({
  text: z.string().max(100_000),
  question: z
    .string()
    .max(100_000)
    .nullish()
    .transform((question) => question ?? undefined),
  // A prefix keeps clients' keys apart from those of the platform's own tasks.
  idempotencyKey: z
    .string()
    .min(1)
    .max(200)
    .transform((key) => `request/${key}`),
})

export const qualityResolvers = {
  Query: {
    qualityAssessment: (_, { id }, context) => loaderOf(context, loadAssessments).load(id),
  },
  Mutation: {
    assessQuality: async (_, { input }, context) => {
      const { idempotencyKey: requestKey, ...output } = parseInput(assessInput, input)
      return { assessment: await assessQuality(context, context.actor, { requestKey, ...output }) }
    },
  },
  Subscription: {
    qualityEvents: { subscribe: (_, request, context) => qualityEvents(context, request) },
  },
  QualityAssessment: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadAssessments).load(id),
  },
  QualityEvent: {
    assessment: ({ assessmentId }, _, context) => loaderOf(context, loadAssessments).load(assessmentId),
    task: ({ taskId }) => referenceTo(taskId),
  },
  Task: {
    quality: async ({ id }, _, context) => (await loaderOf(context, loadAssessmentsOfTasks).load(id)) ?? [],
  },
  Run: {
    quality: async ({ id }, _, context) => (await loaderOf(context, loadAssessmentsOfRuns).load(id)) ?? [],
  },
} satisfies Resolvers
