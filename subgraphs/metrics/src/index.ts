import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import { anomalyResolvers } from './anomalies/anomalies.resolvers.ts'
import type { Context, Services } from './context.ts'
import { qualityResolvers } from './quality/quality.resolvers.ts'

/** How good outputs are, how runs end, and what is out of the ordinary. */
export const metrics = defineSubgraph<Services, Context>({
  name: 'metrics',
  directory: import.meta.dirname,
  resolvers: mergeResolvers(anomalyResolvers, qualityResolvers),
  context: (services, actor) => ({ ...services, actor }),
})
