import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../context.ts'
import { isRunOver } from '../engine/core/index.ts'
import { lockRuns, lockStrands, raiseEpoch } from '../runs/control/lock-runs.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
import { loadVersionsByNumber } from '../workflows/load-versions-by-number.ts'
import type { WorkflowVersionRow } from '../workflows/load-workflows.ts'
import { checkMigration, type MigrationProblem } from './check-migration.ts'
import { type PlacedRun, readPositions } from './read-positions.ts'

/** Which runs are to go where. */
export interface Migration {
  workflowId: string
  toVersion: number
  filter?: MigrationFilter | null | undefined
  /** True: nothing is changed, and the answer is what would become of them. */
  dryRun?: boolean | null | undefined
  /** The run after which to go on. */
  after?: string | null | undefined
}

/** Of the workflow's runs that are not over, all that fit. */
export interface MigrationFilter {
  ids?: readonly string[] | null | undefined
  fromVersion?: number | null | undefined
  status?: string | null | undefined
}

/** What became of a run, or would. */
export interface MigratedRun {
  runId: string
  from: number
  outcome: 'migrated' | 'unchanged' | 'refused'
  problems: MigrationProblem[]
}

export interface MigrationResult {
  runs: MigratedRun[]
  /** Set when more runs fit: go on after it. */
  after: string | null
}

/** Runs of one call, and of one transaction. */
const MOST_RUNS = 1_000
const CHUNK = 50

/**
 * Moves runs to another version of their workflow: those that can go on by it from where they are. A run is moved as a
 * whole or refused with every reason; who works on it meanwhile finishes, and what comes next is the new version's. At
 * most 1,000 runs a call, in the order of their ids, 50 a transaction. NOT_FOUND; BAD_INPUT for a filter that cannot be.
 */
export async function migrateRuns(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { workflowId, toVersion, filter, dryRun, after }: Migration,
): Promise<MigrationResult> {
  if (!isId(workflowId)) fail('NOT_FOUND', { path: 'input.workflowId' })
  const services = { database }
  await requireWorkflow(services, actor, workflowId)
  const asked = [{ version: toVersion, path: 'input.toVersion' }]
  const [target] = await loadVersionsByNumber(services, actor, workflowId, asked)
  if (!target) return fail('NOT_FOUND', { path: 'input.toVersion' })
  const found = await findRuns(services, actor, workflowId, filter ?? {}, after ?? null)
  const ids = found.slice(0, MOST_RUNS)
  const runs: MigratedRun[] = []
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK)
    const move = (client: pg.PoolClient): Promise<MigratedRun[]> =>
      dryRun ? tryChunk(client, actor, target, chunk) : moveChunk(client, actor, target, chunk)
    runs.push(...(await retryDeadlocks(() => database.transact(actor, move))))
  }
  if (!dryRun && runs.some(({ outcome }) => outcome === 'migrated')) database.announce()
  return { runs, after: found.length > MOST_RUNS ? (ids.at(-1) ?? null) : null }
}

async function requireWorkflow(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  workflowId: string,
): Promise<void> {
  const text = 'select id from workflow where organization_id = $1 and id = $2'
  const rows = await database.readTenant(actor, text, [actor.organizationId, workflowId])
  if (rows.length === 0) fail('NOT_FOUND', { path: 'input.workflowId' })
}

/** Ids of the runs that fit, one more than a call takes. */
async function findRuns(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  workflowId: string,
  { ids, fromVersion, status }: MigrationFilter,
  after: string | null,
): Promise<string[]> {
  if (ids && ids.length > MOST_RUNS)
    fail('BAD_INPUT', { path: 'input.filter.ids', message: `At most ${MOST_RUNS} at once.` })
  if (after !== null && !isId(after)) fail('CURSOR_INVALID', { path: 'input.after' })
  const rows = await database.readTenant<{ id: string }>(
    actor,
    `select r.id from run r
     join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     where r.organization_id = $1 and r.workflow_id = $2 and v.version > 0 and ($3::uuid is null or r.id > $3)
       and ($4::uuid[] is null or r.id = any($4)) and ($5::int is null or v.version = $5)
       and ($6::text is null or r.status = $6)
       and ($4::uuid[] is not null or $6::text is not null or r.status not in ('completed', 'failed', 'cancelled'))
     order by r.id limit ${MOST_RUNS + 1}`,
    [actor.organizationId, workflowId, after, ids?.filter(isId) ?? null, fromVersion ?? null, status ?? null],
  )
  return rows.map(({ id }) => id)
}

async function tryChunk(
  client: pg.PoolClient,
  { organizationId }: Actor,
  target: WorkflowVersionRow,
  ids: readonly string[],
): Promise<MigratedRun[]> {
  const runs = await readPositions(client, organizationId, ids)
  return runs.map((run) => judge(run, target))
}

async function moveChunk(
  client: pg.PoolClient,
  actor: Actor,
  target: WorkflowVersionRow,
  ids: readonly string[],
): Promise<MigratedRun[]> {
  const { organizationId } = actor
  const locked = await lockRuns(client, organizationId, ids)
  await lockStrands(client, organizationId, ids)
  const placed = await readPositions(client, organizationId, ids)
  const judged = placed.map((run) => judge(run, target))
  const moved = new Set(judged.flatMap(({ runId, outcome }) => (outcome === 'migrated' ? [runId] : [])))
  if (moved.size === 0) return judged
  await raiseEpoch(client, organizationId, [...moved])
  await client.query('update run set version_id = $3 where organization_id = $1 and id = any($2::uuid[])', [
    organizationId,
    [...moved],
    target.id,
  ])
  const before = new Map(placed.map((run) => [run.id, run]))
  await recordEvents(
    client,
    actor,
    locked.flatMap(({ id, workflowId, workflowName }) => {
      const run = before.get(id)
      if (!run || !moved.has(id)) return []
      const data = {
        runId: id,
        workflowId,
        workflowName,
        from: run.version,
        to: target.version,
        fromVersionId: run.versionId,
        toVersionId: target.id,
      }
      return [{ type: 'run.migrated', subject: `run/${id}`, data } as const]
    }),
  )
  return judged
}

function judge(
  { id, status, version, versionId, definition, position }: PlacedRun,
  target: WorkflowVersionRow,
): MigratedRun {
  const about = { runId: id, from: version, problems: [] }
  if (isRunOver(status)) {
    const problem = { code: 'RUN_OVER' as const, message: `The run is ${status}.`, step: null }
    return { ...about, outcome: 'refused', problems: [problem] }
  }
  if (versionId === target.id) return { ...about, outcome: 'unchanged' }
  const problems = checkMigration(definition, target.definition, position)
  return { ...about, outcome: problems.length > 0 ? 'refused' : 'migrated', problems }
}
