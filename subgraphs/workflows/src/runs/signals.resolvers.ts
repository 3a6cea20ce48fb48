import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from './load-runs.ts'
import { signalRun } from './signal-run.ts'

export const signalResolvers: Resolvers = {
  Mutation: {
    signalRun: (_, { input }, context) => signalRun(context, context.actor, input),
  },
  SignalRunPayload: {
    run: async ({ runId }, _, context) =>
      (await loaderOf(context, loadRuns).load(runId)) ?? fail('NOT_FOUND'),
  },
}
