import type { Actor, NewEvent } from '@tutti/schema'
import type pg from 'pg'
import { recordEvents } from '../runs/control/record-events.ts'
import type { RunRefusal } from '../runs/control/run-refusal.ts'
import { aboutOperation, MOST_PROBLEMS, OPERATION_COLUMNS, type OperationRow } from './operation-row.ts'
import { filterValues, MATCHES } from './run-filter.ts'

const FIRST = '00000000-0000-0000-0000-000000000000'

/** The operation, locked, if it is under way and nobody else has it at this moment. */
export async function lockOperation(
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

/** The next runs that match, in the order of their ids. */
export async function nextRuns(
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

/** What was done with the next runs. */
export interface Progress {
  ids: readonly string[]
  done: number
  refused: readonly RunRefusal[]
  over: boolean
}

/** Notes how far a locked operation is, in the transaction that locked it. */
export async function noteProgress(
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
