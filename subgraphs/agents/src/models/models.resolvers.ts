import { fail } from '@tutti/schema'
import type { ModelStatus, Resolvers } from '../../generated/resolvers.ts'
import { explainRouting } from './explain-routing.ts'
import { listModels } from './list-models.ts'
import { priceAt } from './model.ts'
import { readModels } from './read-models.ts'
import { removeModel } from './remove-model.ts'
import { setModelPrice } from './set-model-price.ts'
import { setModel } from './set-model.ts'
import { setRouterSettings } from './set-router-settings.ts'

export const modelResolvers = {
  Query: {
    model: async (_, { id }, context) => (await readModels(context, context.actor)).get(id) ?? null,
    models: (_, page, context) => listModels(context, page),
    explainRouting: (_, { input: { priority, ...wish } }, context) =>
      explainRouting(context, context.actor, { ...wish, priority: priority === 'HIGH' ? 'high' : 'normal' }),
  },
  Mutation: {
    setModel: async (_, { input: { status, ...rest } }, context) => ({
      model: await setModel(context, context.actor, { ...rest, status: statusOf(status) }),
    }),
    setModelPrice: async (_, { input }, context) => ({
      model: await setModelPrice(context, context.actor, input),
    }),
    removeModel: async (_, { input }, context) => ({
      model: await removeModel(context, context.actor, input.id),
    }),
    setRouterSettings: async (_, { input }, context) => ({
      inForce: await setRouterSettings(context, context.actor, input),
    }),
  },
  Model: {
    status: ({ status }) => STATUSES[status],
    price: (model, { at }) => priceAt(model, at == null ? new Date() : new Date(at)),
  },
  ModelPrice: {
    inputUsd: ({ inputUsd }) => Number(inputUsd),
    outputUsd: ({ outputUsd }) => Number(outputUsd),
    cachedUsd: ({ cachedUsd }) => Number(cachedUsd),
  },
} satisfies Resolvers

const STATUSES = { known: 'KNOWN', active: 'ACTIVE', disabled: 'DISABLED' } as const

function statusOf(status: ModelStatus | null | undefined): 'active' | 'disabled' | null {
  if (status === 'KNOWN')
    fail('BAD_INPUT', { path: 'input.status', message: 'A model that was set is ACTIVE or DISABLED.' })
  if (status == null) return null
  return status === 'ACTIVE' ? 'active' : 'disabled'
}
