import { isId, loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../../generated/resolvers.ts'
import type { Context } from '../../context.ts'
import { loadTasks } from '../../tasks/load-tasks.ts'
import { loadRuns, type RunRow } from '../load-runs.ts'
import { controlRun } from './control-run.ts'
import { forkRun } from './fork-run.ts'
import { readRunState } from './run-state.ts'

const answer = async (context: Context, { id }: { id: string }): Promise<{ run: RunRow }> => ({
  run: (await loaderOf(context, loadRuns).load(id)) ?? fail('NOT_FOUND'),
})

export const runControlResolvers: Resolvers = {
  Query: {
    async runState(_, { id }, context) {
      const run = isId(id) ? await loaderOf(context, loadRuns).load(id) : null
      return run && readRunState(context, run)
    },
  },
  Mutation: {
    async cancelRun(_, { input }, context) {
      await controlRun(context, context.actor, 'cancel', input, { compensate: input.compensate ?? false })
      return { id: input.id }
    },
    async pauseRun(_, { input }, context) {
      await controlRun(context, context.actor, 'pause', input, { detached: input.detached ?? false })
      return answer(context, input)
    },
    async resumeRun(_, { input }, context) {
      await controlRun(context, context.actor, 'resume', input)
      return answer(context, input)
    },
    async terminateRun(_, { input }, context) {
      await controlRun(context, context.actor, 'terminate', input)
      return answer(context, input)
    },
    async retryRun(_, { input }, context) {
      await controlRun(context, context.actor, 'retry', input)
      return answer(context, input)
    },
    async forkRun(_, { input }, context) {
      const { id, created } = await forkRun(context, context.actor, input)
      return { ...(await answer(context, { id })), created }
    },
  },
  RunState: {
    run: async ({ runId }, _, context) =>
      (await loaderOf(context, loadRuns).load(runId)) ?? fail('NOT_FOUND'),
    state: ({ state }) => Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('$'))),
  },
  RunWait: {
    task: ({ taskId }, _, context) => (taskId === null ? null : loaderOf(context, loadTasks).load(taskId)),
    subrun: ({ subrunId }, _, context) =>
      subrunId === null ? null : loaderOf(context, loadRuns).load(subrunId),
  },
}

/** The API's names of why a line of work rests. */
export const waitReasonValues = {
  WORK: 'work',
  TURN: 'turn',
  AGENT: 'agent',
  PERSON: 'person',
  TIME: 'time',
  SIGNAL: 'signal',
  EVENT: 'event',
  PEER: 'peer',
  WORKER: 'worker',
  SUBRUN: 'subrun',
  BRANCHES: 'branches',
  RESUME: 'resume',
  LIFTING: 'lifting',
  OTHERS: 'others',
}
