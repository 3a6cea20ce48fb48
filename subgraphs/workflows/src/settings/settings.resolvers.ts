import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { applySettings } from './apply-settings.ts'
import { consequencesOf } from './consequences.ts'
import { listSettings } from './list-settings.ts'
import { tellConnectors } from './tell-connectors.ts'
import { loadSettings } from './load-settings.ts'

export const settingsResolvers: Resolvers = {
  Query: {
    settings: (_, { version }, context) => loadSettings(context, version ?? null),
    settingsVersions: (_, page, context) => listSettings(context, page),
  },
  Mutation: {
    async applySettings(_, { input }, context) {
      const { version, changed, said, notes } = await applySettings(context, context.actor, input.document)
      const settings = (await loadSettings(context, version)) ?? fail('NOT_FOUND')
      const { applied, withoutEffect } = consequencesOf(said, settings)
      const told = await tellConnectors(context, said, withoutEffect)
      return { settings, changed, applied, withoutEffect: [...notes, ...told] }
    },
  },
  Settings: {
    values: ({ inForce }) => inForce,
    applied: (settings) => consequencesOf(settings.inForce, settings).applied,
    withoutEffect: (settings, _, context) =>
      tellConnectors(context, settings.inForce, consequencesOf(settings.inForce, settings).withoutEffect),
  },
}
