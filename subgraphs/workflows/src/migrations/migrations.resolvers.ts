import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { migrateRuns, type MigratedRun } from './migrate-runs.ts'

const count = (runs: readonly MigratedRun[], outcome: MigratedRun['outcome']): number =>
  runs.filter((run) => run.outcome === outcome).length

export const migrationResolvers: Resolvers = {
  Mutation: {
    migrateRuns: (_, { input }, context) => migrateRuns(context, context.actor, input),
  },
  MigrateRunsPayload: {
    migrated: ({ runs }) => count(runs, 'migrated'),
    refused: ({ runs }) => count(runs, 'refused'),
  },
  RunMigration: {
    run: ({ runId }, _, context) => loaderOf(context, loadRuns).load(runId),
  },
}

/** The API's names of the outcomes. */
export const runMigrationOutcomes = { MIGRATED: 'migrated', UNCHANGED: 'unchanged', REFUSED: 'refused' }
