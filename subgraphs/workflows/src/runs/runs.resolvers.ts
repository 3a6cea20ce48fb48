import { isId, loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { readRunAt } from '../history/read-run-at.ts'
import { loadTasksOfRuns } from '../tasks/load-tasks.ts'
import { loadVersions, loadWorkflows } from '../workflows/load-workflows.ts'
import { listRuns } from './list-runs.ts'
import { loadRuns } from './load-runs.ts'
import { readRunRequest } from './read-run-request.ts'
import { requirePlaceOfRuns } from './require-place-of-runs.ts'
import { runEvents } from './run-events.ts'
import { startRuns } from './start-runs.ts'

const MAX_RUNS = 500

export const runResolvers: Resolvers = {
  Query: {
    run: (_, { id, at }, context) =>
      at ? readRunAt(context, id, at) : isId(id) ? loaderOf(context, loadRuns).load(id) : null,
    runs: (_, listing, context) => listRuns(context, listing),
  },
  Mutation: {
    async startRun(_, { input }, context) {
      const request = readRunRequest(input, 'input')
      await requirePlaceOfRuns(context, context.actor, [request], () => 'input')
      const [started] = await startRuns(context, context.actor, [request], () => 'input')
      return started ?? fail('INTERNAL')
    },
    async startRuns(_, { input }, context) {
      if (input.runs.length > MAX_RUNS)
        fail('BAD_INPUT', { path: 'input.runs', message: `At most ${MAX_RUNS} at once.` })
      const path = (index: number): string => `input.runs[${index}]`
      const requests = input.runs.map((given, index) => readRunRequest(given, path(index)))
      await requirePlaceOfRuns(context, context.actor, requests, path)
      return { runs: await startRuns(context, context.actor, requests, path) }
    },
  },
  Subscription: {
    runEvents: {
      subscribe: (_, args, context) => ({
        async *[Symbol.asyncIterator]() {
          for await (const event of runEvents(context, args)) yield { runEvents: event }
        },
      }),
    },
  },
  StartRunPayload: {
    run: async ({ id }, _, context) => (await loaderOf(context, loadRuns).load(id)) ?? fail('NOT_FOUND'),
  },
  CancelRunPayload: {
    run: async ({ id }, _, context) => (await loaderOf(context, loadRuns).load(id)) ?? fail('NOT_FOUND'),
  },
  RunEvent: {
    run: ({ runId }, _, context) => loaderOf(context, loadRuns).load(runId),
  },
  Run: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadRuns).load(id) : null),
    workflow: async ({ workflowId }, _, context) =>
      (await loaderOf(context, loadWorkflows).load(workflowId)) ?? fail('NOT_FOUND'),
    version: async ({ versionId }, _, context) =>
      (await loaderOf(context, loadVersions).load(versionId)) ?? fail('NOT_FOUND'),
    state: ({ state }) => Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('$'))),
    costUsd: ({ costUsd }) => Number(costUsd),
    tasks: async ({ id, tasks }, _, context) =>
      tasks ?? (await loaderOf(context, loadTasksOfRuns).load(id)) ?? [],
  },
}

/** The API's names of the stored values. */
export const runStatusValues = {
  QUEUED: 'queued',
  RUNNING: 'running',
  WAITING: 'waiting',
  PAUSED: 'paused',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
}
