import { type Actor, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type pg from 'pg'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { readReason } from '../runs/control/read-reason.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { BULK_ACTIONS, type BulkAction, type BulkParams, readBulkParams } from './bulk-action.ts'
import { foreseeRefusals, matchRuns } from './match-runs.ts'
import { aboutOperation, MOST_PROBLEMS, OPERATION_COLUMNS, type OperationRow } from './operation-row.ts'
import { readRunFilter, type RunFilter } from './run-filter.ts'

/** What to do with which runs. */
export interface BulkControl {
  /** A {@link BulkAction}. */
  action: string
  filter: unknown
  /** The signal that is sent, or the fork that is begun. */
  signal?: unknown
  fork?: unknown
  /** Cancelling: what completed is undone first. */
  compensate?: boolean | null | undefined
  reason?: string | null | undefined
  /** Nothing is done: the operation says at once what would be. */
  dryRun?: boolean | null | undefined
  /** The same key starts one operation. */
  idempotencyKey?: string | null | undefined
}

interface Request {
  action: BulkAction
  filter: RunFilter
  params: BulkParams | null
  reason: string | null
  dryRun: boolean
  key: string | null
}

/**
 * Starts an act of control on every run that matches; workers do it, each run once. Answers with the operation.
 * BAD_INPUT for the filter, IDEMPOTENCY_KEY_REUSED when the key came with another request.
 */
export async function bulkControlRuns(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { action: given, filter, reason, dryRun, idempotencyKey, ...needed }: BulkControl,
): Promise<OperationRow> {
  const action = parseInput(z.enum(BULK_ACTIONS), given, 'input.action')
  const request: Request = {
    action,
    filter: readRunFilter(filter, action, 'input.filter'),
    params: readBulkParams(action, needed),
    reason: readReason(reason),
    dryRun: dryRun ?? false,
    key: readReason(idempotencyKey, 'input.idempotencyKey'),
  }
  const operation = await database.transact(
    actor,
    async (client) => (await insert(client, actor, request)) ?? known(client, actor, request),
  )
  database.announce()
  wake()
  return operation
}

/** Undefined when its key has started one before. */
async function insert(
  client: pg.PoolClient,
  actor: Actor,
  request: Request,
): Promise<OperationRow | undefined> {
  const { action, filter, params, reason, dryRun, key } = request
  const { total, missing, last } = await matchRuns(client, actor, filter)
  const foreseen = dryRun ? await foreseeRefusals(client, actor, action, filter) : { count: 0, problems: [] }
  const failed = missing.length + foreseen.count
  const over = dryRun || last === null
  const { rows } = await client.query<OperationRow>(
    `insert into operation (organization_id, action, filter, reason, status, dry_run, total, done, failed, problems, last,
       idempotency_key, started_by, ended_at, params)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, case when $14 then clock_timestamp() end, $15)
     on conflict (organization_id, idempotency_key) do nothing returning ${OPERATION_COLUMNS}`,
    [
      actor.organizationId,
      action,
      JSON.stringify(filter),
      reason,
      over ? 'completed' : 'running',
      dryRun,
      total,
      dryRun ? total - failed : 0,
      failed,
      JSON.stringify([...missing, ...foreseen.problems].slice(0, MOST_PROBLEMS)),
      last,
      key,
      JSON.stringify(actorRecord(actor)),
      over,
      params && JSON.stringify(params),
    ],
  )
  const [row] = rows
  if (!row) return undefined
  const { subject, data } = aboutOperation(row)
  await recordEvents(client, actor, [
    { type: 'operation.started', subject, data: { ...data, total, reason } },
  ])
  if (over)
    await recordEvents(client, actor, [
      { type: 'operation.completed', subject, data: { ...data, done: row.done, failed } },
    ])
  return row
}

async function known(client: pg.PoolClient, actor: Actor, request: Request): Promise<OperationRow> {
  const { rows } = await client.query<OperationRow & { same: boolean }>(
    `select ${OPERATION_COLUMNS}, action = $3 and filter = $4::jsonb and dry_run = $5
       and params is not distinct from $6::jsonb as same from operation
     where organization_id = $1 and idempotency_key = $2`,
    [
      actor.organizationId,
      request.key,
      request.action,
      JSON.stringify(request.filter),
      request.dryRun,
      request.params && JSON.stringify(request.params),
    ],
  )
  const row = rows[0] ?? fail('CONFLICT', { path: 'input.idempotencyKey' })
  return row.same ? row : fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
}
