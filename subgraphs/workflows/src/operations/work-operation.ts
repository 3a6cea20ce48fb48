import type { Database } from '@tutti/prisma'
import { systemActor, TuttiError } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../context.ts'
import { controlRuns } from '../runs/control/control-runs.ts'
import { recordedActor } from '../runs/control/recorded-actor.ts'
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
import { failureOf } from '../runs/control/run-refusal.ts'
import { compensates, isRunAction } from './bulk-action.ts'
import { lockOperation, nextRuns, noteProgress } from './operation-progress.ts'
import type { OperationRow } from './operation-row.ts'
import { workEach } from './work-each.ts'

/** Runs of one transaction. A run may have thousands of strands, which all are locked with it. */
const CHUNK = 50

/** An operation that is not over, of any tenant. */
export interface RunningOperation extends Pick<OperationRow, 'id' | 'action'> {
  organizationId: string
}

/** Operations that wait for a worker, the oldest of each tenant in turn. Needs the role `worker`. */
export async function findOperations(pool: Pick<pg.Pool, 'query'>): Promise<RunningOperation[]> {
  const { rows } = await pool.query<RunningOperation>(
    `select organization_id as "organizationId", id, action from (
       select organization_id, id, action, row_number() over (partition by organization_id order by id) as turn
       from operation where status = 'running') o order by turn, id limit 100`,
  )
  return rows
}

/**
 * Does an operation's act on its next runs. The act, and that it was done, are one transaction (or the act has a key
 * that no repeat gets past): whoever dies meanwhile, no run is passed over and none has it done twice. Runs that fail
 * beyond explanation are tried one by one and counted as failed. False when another worker has the operation at this
 * moment, or it is over.
 */
export async function workOperation(
  services: Pick<Services, 'database' | 'wake'>,
  operation: RunningOperation,
): Promise<boolean> {
  const { database, wake } = services
  const worked = isRunAction(operation.action)
    ? await workTogether(database, operation)
    : await workEach(services, operation.organizationId, operation.id, CHUNK)
  if (worked) {
    database.announce()
    wake()
  }
  return worked
}

function workTogether(database: Database, operation: RunningOperation): Promise<boolean> {
  return advance(database, operation, CHUNK).catch(async (error: unknown) => {
    if (!isOfTheRuns(error)) throw error
    return step(database, operation)
  })
}

/** One run, and if it cannot be dealt with at all, past it. */
async function step(database: Database, operation: RunningOperation): Promise<boolean> {
  try {
    return await advance(database, operation, 1)
  } catch (error) {
    if (!isOfTheRuns(error)) throw error
    return advance(database, operation, 1, 'skip')
  }
}

/** Such as that PostgreSQL refused what was written; a lost connection or a limit of time is no fault of the runs. */
const isOfTheRuns = (error: unknown): boolean =>
  error instanceof TuttiError ||
  (error instanceof Error && (!('code' in error) || /^(2|54)/.test(String(error.code))))

async function advance(
  database: Database,
  { organizationId, id }: RunningOperation,
  most: number,
  how: 'act' | 'skip' = 'act',
): Promise<boolean> {
  return retryDeadlocks(() =>
    database.transact(systemActor(organizationId, 'operations'), async (client) => {
      const operation = await lockOperation(client, organizationId, id)
      if (!operation || !isRunAction(operation.action)) return false
      const actor = recordedActor(organizationId, operation.startedBy)
      const ids = await nextRuns(client, organizationId, operation, most)
      const { action, reason, params } = operation
      const { done, refused } =
        how === 'act'
          ? await controlRuns(client, actor, ids, { action, reason, compensate: compensates(params) })
          : { done: 0, refused: ids.map(failureOf) }
      await noteProgress(client, actor, operation, { ids, done, refused, over: ids.length < most })
      return true
    }),
  )
}
