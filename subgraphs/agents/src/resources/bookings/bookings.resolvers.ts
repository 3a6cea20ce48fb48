import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../../generated/resolvers.ts'
import type { Context } from '../../context.ts'
import { acquireResource } from './acquire-resource.ts'
import { bookResource } from './book-resource.ts'
import { listResourceBookings } from './list-resource-bookings.ts'
import { listSharedResources } from './list-shared-resources.ts'
import { loadLiveBookings, loadResourceBookings, loadSharedResources } from './load-shared-resources.ts'
import { releaseResource } from './release-resource.ts'
import { removeSharedResource } from './remove-shared-resource.ts'
import { renewResource } from './renew-resource.ts'
import type { ResourceBookingRow, ResourceHolder } from './resource-booking.ts'
import { setSharedResource } from './set-shared-resource.ts'
import type { BookingStatus } from './settle-bookings.ts'

const live = async (context: Context, id: string, status: BookingStatus): Promise<ResourceBookingRow[]> =>
  ((await loaderOf(context, loadLiveBookings).load(id)) ?? []).filter((each) => each.status === status)
const startOf = ({ startsAt }: ResourceBookingRow): number => startsAt?.getTime() ?? 0

export const bookingResolvers: Resolvers = {
  Query: {
    sharedResource: (_, { id }, context) => loaderOf(context, loadSharedResources).load(id),
    sharedResources: (_, page, context) => listSharedResources(context, page),
    resourceBooking: (_, { id }, context) => loaderOf(context, loadResourceBookings).load(id),
    resourceBookings: (_, request, context) => listResourceBookings(context, request),
  },
  Mutation: {
    setSharedResource: async (_, { input }, context) => ({
      resource: await setSharedResource(context, context.actor, input),
    }),
    removeSharedResource: (_, { input }, context) => removeSharedResource(context, context.actor, input.id),
    acquireResource: (_, { input }, context) => acquireResource(context, context.actor, input),
    renewResource: async (_, { input }, context) => ({
      booking: await renewResource(context, context.actor, input),
    }),
    releaseResource: async (_, { input }, context) => ({
      booking: await releaseResource(context, context.actor, input),
    }),
    bookResource: (_, { input }, context) => bookResource(context, context.actor, input),
  },
  SharedResource: {
    held: async ({ id }, _, context) =>
      (await live(context, id, 'held')).reduce((sum, { amount }) => sum + amount, 0),
    contendedSince: ({ contendedAt }) => contendedAt,
    holders: ({ id }, _, context) => live(context, id, 'held'),
    queue: ({ id }, _, context) => live(context, id, 'queued'),
    upcoming: async ({ id }, _, context) =>
      (await live(context, id, 'booked')).toSorted((a, b) => startOf(a) - startOf(b)),
  },
  ResourceBooking: {
    resource: async ({ resourceId }, _, context) =>
      (await loaderOf(context, loadSharedResources).load(resourceId)) ?? fail('INTERNAL'),
    holder: ({ holderKind, holderId }): ResourceHolder => ({ kind: holderKind, id: holderId }),
    queuePlace: async ({ id, resourceId, status }, _, context) =>
      status === 'queued'
        ? (await live(context, resourceId, 'queued')).findIndex((each) => each.id === id) + 1
        : null,
    from: ({ startsAt }) => startsAt,
    until: ({ endsAt }) => endsAt,
    waitsUntil: ({ status, waitsUntil }) => (status === 'queued' ? waitsUntil : null),
    fence: ({ fence }) => (fence === null ? null : Number(fence)),
  },
}

/** The API's names of the stored values. */
export const bookingEnums = {
  ResourceHolderKind: { RUN: 'run', TASK: 'task', AGENT: 'agent', ACTOR: 'actor' },
  ResourceBookingStatus: {
    QUEUED: 'queued',
    BOOKED: 'booked',
    HELD: 'held',
    RELEASED: 'released',
    EXPIRED: 'expired',
  },
} as const
