import { isId, loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { bulkControlRuns } from './bulk-control-runs.ts'
import { cancelOperation } from './cancel-operation.ts'
import { listOperations } from './list-operations.ts'
import { loadOperations } from './load-operations.ts'
import { operationEvents } from './operation-events.ts'

export const operationResolvers: Resolvers = {
  Query: {
    operation: (_, { id }, context) => (isId(id) ? loaderOf(context, loadOperations).load(id) : null),
    operations: (_, listing, context) => listOperations(context, listing),
  },
  Mutation: {
    async bulkControlRuns(_, { input }, context) {
      return { operation: await bulkControlRuns(context, context.actor, input) }
    },
    async cancelOperation(_, { input }, context) {
      await cancelOperation(context, context.actor, input)
      return { operation: (await loaderOf(context, loadOperations).load(input.id)) ?? fail('NOT_FOUND') }
    },
  },
  Subscription: {
    operationEvents: {
      subscribe: (_, args, context) => ({
        async *[Symbol.asyncIterator]() {
          for await (const event of operationEvents(context, args)) yield { operationEvents: event }
        },
      }),
    },
  },
  OperationEvent: {
    operation: ({ operationId }, _, context) => loaderOf(context, loadOperations).load(operationId),
  },
  OperationProblem: {
    run: ({ runId }, _, context) => (isId(runId) ? loaderOf(context, loadRuns).load(runId) : null),
  },
}

/** The API's names of the stored values. */
export const runActionValues = {
  PAUSE: 'pause',
  RESUME: 'resume',
  CANCEL: 'cancel',
  TERMINATE: 'terminate',
  RETRY: 'retry',
  SIGNAL: 'signal',
  FORK: 'fork',
}
export const operationStatusValues = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
}
