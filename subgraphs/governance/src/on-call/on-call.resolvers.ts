import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { upper } from '../extensions/upper.ts'
import { listOnCallSchedules } from './list-on-call-schedules.ts'
import { loadOverrides } from './load-overrides.ts'
import { onCall } from './on-call.ts'
import { overrideOnCall } from './override-on-call.ts'
import { removeOnCallOverride } from './remove-on-call-override.ts'
import { removeOnCallSchedule } from './remove-on-call-schedule.ts'
import { setOnCallSchedule } from './set-on-call-schedule.ts'

export const onCallResolvers = {
  Query: {
    onCall: (_, args, context) => onCall(context, context.actor, args),
    onCallSchedules: (_, page, context) => listOnCallSchedules(context, context.actor, page),
  },
  Mutation: {
    setOnCallSchedule: async (_, { input }, context) => ({
      schedule: await setOnCallSchedule(context, context.actor, input),
    }),
    removeOnCallSchedule: async (_, { input }, context) => ({
      id: await removeOnCallSchedule(context, context.actor, input),
    }),
    overrideOnCall: async (_, { input }, context) => ({
      override: await overrideOnCall(context, context.actor, input),
    }),
    removeOnCallOverride: async (_, { input }, context) => ({
      id: await removeOnCallOverride(context, context.actor, input),
    }),
  },
  OnCallSchedule: {
    unit: ({ unit }) => upper(unit),
    overrides: ({ id }, _, context) =>
      loaderOf(context, loadOverrides)
        .load(id)
        .then((overrides) => overrides ?? []),
  },
} satisfies Resolvers
