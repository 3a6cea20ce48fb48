import type { Database } from '@tutti/prisma'
import { type Actor, ERRORS, type NewEvent, systemActor, TuttiError } from '@tutti/schema'
import type pg from 'pg'
import { controlRuns } from '../runs/control/control-runs.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { recordedActor } from '../runs/control/recorded-actor.ts'
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
import type { RunRefusal } from '../runs/control/run-refusal.ts'
import { aboutOperation, MOST_PROBLEMS, OPERATION_COLUMNS, type OperationRow } from './operation-row.ts'
import { filterValues, MATCHES } from './run-filter.ts'

/** Runs of one transaction. A run may have thousands of strands, which all are locked with it. */
const CHUNK = 50
const FIRST = '00000000-0000-0000-0000-000000000000'

/** An operation that is not over, of any tenant. */
export interface RunningOperation {
  organizationId: string
  id: string
}

/** Operations that wait for a worker, the oldest of each tenant in turn. Needs the role `worker`. */
export async function findOperations(pool: Pick<pg.Pool, 'query'>): Promise<RunningOperation[]> {
  const { rows } = await pool.query<RunningOperation>(
    `select organization_id as "organizationId", id from (
       select organization_id, id, row_number() over (partition by organization_id order by id) as turn
       from operation where status = 'running') o order by turn, id limit 100`,
  )
  return rows
}

/**
 * Does an operation's act on its next runs. The act, and that it was done, are one transaction: whoever dies meanwhile,
 * no run is passed over and none has it done twice. Runs that fail beyond explanation are tried one by one and counted
 * as failed. False when another worker has the operation at this moment, or it is over.
 */
export async function workOperation(database: Database, operation: RunningOperation): Promise<boolean> {
  const worked = await advance(database, operation, CHUNK).catch(async (error: unknown) => {
    if (!isOfTheRuns(error)) throw error
    return step(database, operation)
  })
  if (worked) database.announce()
  return worked
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
      if (!operation) return false
      const actor = recordedActor(organizationId, operation.startedBy)
      const ids = await nextRuns(client, organizationId, operation, most)
      const { action, reason } = operation
      const { done, refused } =
        how === 'act'
          ? await controlRuns(client, actor, ids, { action, reason })
          : { done: 0, refused: ids.map(failureOf) }
      await note(client, actor, operation, { ids, done, refused, over: ids.length < most })
      return true
    }),
  )
}

const failureOf = (runId: string): RunRefusal => ({
  runId,
  code: 'INTERNAL',
  message: ERRORS.INTERNAL.message,
})

async function lockOperation(
  client: pg.PoolClient,
  organizationId: string,
  id: string,
): Promise<OperationRow | undefined> {
  const { rows } = await client.query<OperationRow>(
    `select ${OPERATION_COLUMNS} from operation
     where organization_id = $1 and id = $2 and status = 'running' for update skip locked`,
    [organizationId, id],
  )
  return rows[0]
}

async function nextRuns(
  client: pg.PoolClient,
  organizationId: string,
  { filter, position, last }: OperationRow,
  most: number,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from run where ${MATCHES} and id > $8 and id <= $9 order by id limit $10`,
    [...filterValues(organizationId, filter), position ?? FIRST, last ?? FIRST, most],
  )
  return rows.map(({ id }) => id)
}

interface Progress {
  ids: readonly string[]
  done: number
  refused: readonly RunRefusal[]
  over: boolean
}

async function note(
  client: pg.PoolClient,
  actor: Actor,
  operation: OperationRow,
  { ids, done: more, refused, over }: Progress,
): Promise<void> {
  const done = operation.done + more
  const failed = operation.failed + refused.length
  await client.query(
    `update operation set done = $3, failed = $4, problems = $5, position = coalesce($6, position), status = $7,
       updated_at = clock_timestamp(), ended_at = case when $7 = 'completed' then clock_timestamp() end
     where organization_id = $1 and id = $2`,
    [
      actor.organizationId,
      operation.id,
      done,
      failed,
      JSON.stringify([...operation.problems, ...refused].slice(0, MOST_PROBLEMS)),
      ids.at(-1) ?? null,
      over ? 'completed' : 'running',
    ],
  )
  const { subject, data } = aboutOperation(operation)
  const events: NewEvent[] = [
    {
      type: 'operation.progressed',
      subject,
      data: { ...data, total: operation.total, done, failed },
    },
  ]
  if (over) events.push({ type: 'operation.completed', subject, data: { ...data, done, failed } })
  await recordEvents(client, actor, events)
}
