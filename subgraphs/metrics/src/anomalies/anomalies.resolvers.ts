import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadOutcomes, NO_OUTCOMES } from '../outcomes/load-outcomes.ts'
import { referenceTo } from '../quality/reference.ts'
import { listAnomalies } from './list-anomalies.ts'
import { loadAnomalies } from './load-anomalies.ts'

export const anomalyResolvers = {
  Query: {
    anomalies: (_, request, context) => listAnomalies(context, request),
  },
  Anomaly: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadAnomalies).load(id),
    workflow: ({ workflowId }) => referenceTo(workflowId),
  },
  Workflow: {
    outcomes: async ({ id }, _, context) => (await loaderOf(context, loadOutcomes).load(id)) ?? NO_OUTCOMES,
  },
} satisfies Resolvers
