import type { Resolvers } from '../../generated/resolvers.ts'
import { lower, upper } from '../extensions/upper.ts'
import { listNotificationChannels } from './list-notification-channels.ts'
import { listNotifications } from './list-notifications.ts'
import { removeNotificationChannel } from './remove-notification-channel.ts'
import { setNotificationChannel } from './set-notification-channel.ts'

export const notificationResolvers = {
  Query: {
    notificationChannels: (_, page, context) => listNotificationChannels(context, context.actor, page),
    notifications: (_, { status, ...rest }, context) =>
      listNotifications(context, context.actor, { ...rest, status: status ? lower(status) : undefined }),
  },
  Mutation: {
    setNotificationChannel: async (_, { input }, context) => ({
      channel: await setNotificationChannel(context, context.actor, input),
    }),
    removeNotificationChannel: async (_, { input }, context) => ({
      id: await removeNotificationChannel(context, context.actor, input),
    }),
  },
  NotificationChannel: {
    kind: ({ kind }) => upper(kind),
    ownerKind: ({ ownerKind }) => upper(ownerKind),
  },
  Notification: {
    kind: ({ kind }) => upper(kind),
    status: ({ status }) => upper(status),
    title: ({ message }) => message.title,
    nextAt: ({ status, nextAt }) => (status === 'pending' ? nextAt : null),
  },
} satisfies Resolvers
