import { CALLS_PER_MINUTE } from '@tutti/prisma'
import { isId, loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { loadWorkflows } from '../workflows/load-workflows.ts'
import { createTrigger } from './create-trigger.ts'
import { deleteTrigger } from './delete-trigger.ts'
import { fireTrigger } from './fire-trigger.ts'
import { listFirings } from './list-firings.ts'
import { listTriggers } from './list-triggers.ts'
import { loadTriggers } from './load-triggers.ts'
import { nextFirings } from './next-firings.ts'
import { pauseTrigger, resumeTrigger } from './pause-trigger.ts'
import { publishEvent } from './publish-event.ts'
import { updateTrigger } from './update-trigger.ts'

export const triggerResolvers: Resolvers = {
  Query: {
    trigger: (_, { id }, context) => (isId(id) ? loaderOf(context, loadTriggers).load(id) : null),
    triggers: (_, listing, context) => listTriggers(context, listing),
  },
  Mutation: {
    createTrigger: (_, { input }, context) => createTrigger(context, context.actor, input),
    updateTrigger: (_, { input }, context) => updateTrigger(context, context.actor, input),
    async deleteTrigger(_, { input }, context) {
      await deleteTrigger(context, context.actor, input.id)
      return { id: input.id }
    },
    pauseTrigger: async (_, { input }, context) => ({
      trigger: await pauseTrigger(context, context.actor, input.id),
    }),
    resumeTrigger: async (_, { input }, context) => ({
      trigger: await resumeTrigger(context, context.actor, input.id),
    }),
    fireTrigger: (_, { input }, context) => fireTrigger(context, context.actor, input),
    publishEvent: (_, { input }, context) => publishEvent(context, context.actor, input),
  },
  Trigger: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadTriggers).load(id) : null),
    workflow: async ({ workflowId }, _, context) =>
      (await loaderOf(context, loadWorkflows).load(workflowId)) ?? fail('NOT_FOUND'),
    jitterSeconds: ({ kind, jitterMs }) => (kind === 'schedule' ? jitterMs / 1_000 : null),
    maxPerMinute: ({ kind, maxPerMinute }) =>
      kind === 'webhook' ? (maxPerMinute ?? CALLS_PER_MINUTE) : null,
    signed: ({ kind, signingSecret }) => (kind === 'webhook' ? signingSecret !== null : null),
    nextFirings: (trigger, { first }) => nextFirings(trigger, first ?? undefined),
    firings: ({ id }, listing, context) => listFirings(context, id, listing),
  },
  TriggerFiring: {
    run: ({ runId }, _, context) => (runId === null ? null : loaderOf(context, loadRuns).load(runId)),
  },
}

/** The API's names of the stored values. */
export const triggerEnums = {
  TriggerKind: { WEBHOOK: 'webhook', SCHEDULE: 'schedule', EVENT: 'event' },
  TriggerStatus: { ACTIVE: 'active', PAUSED: 'paused' },
  MissedPolicy: { SKIP: 'skip', ONCE: 'once', ALL: 'all' },
  TriggerFiringStatus: { PENDING: 'pending', STARTED: 'started', SKIPPED: 'skipped', FAILED: 'failed' },
}
