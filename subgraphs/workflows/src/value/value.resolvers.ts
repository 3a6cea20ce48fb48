import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { declareValue } from './declare-value.ts'
import { loadValues } from './load-values.ts'

export const valueResolvers: Resolvers = {
  Mutation: {
    async declareValue(_, { input }, context) {
      await declareValue(context, context.actor, input)
      return { run: (await loaderOf(context, loadRuns).load(input.runId)) ?? fail('NOT_FOUND') }
    },
  },
  Run: {
    async value({ id, costUsd }, _, context) {
      const value = await loaderOf(context, loadValues).load(id)
      if (!value) return null
      const [worth, cost] = [Number(value.valueUsd), Number(costUsd)]
      return {
        valueUsd: worth,
        costUsd: cost,
        netUsd: worth - cost,
        note: value.note,
        declaredBy: value.declaredBy.name,
        declaredAt: value.declaredAt,
      }
    },
  },
}
