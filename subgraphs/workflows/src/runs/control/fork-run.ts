import { createHash } from 'node:crypto'
import { type Actor, canonicalJson, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { Services } from '../../context.ts'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { checkInput } from '../../engine/core/index.ts'
import { limitKeyOf } from '../../limits/limit-key.ts'
import { findTargets } from '../find-targets.ts'
import { copyTasks } from './copy-tasks.ts'
import { insertStrands } from './insert-strands.ts'
import { mainLineNode } from './main-line-node.ts'
import { readJson } from './read-json.ts'
import { readReason } from './read-reason.ts'
import { recordEvents } from './record-events.ts'
import { requireNoPassedReview } from './require-no-passed-review.ts'
import { type Past, type PastTask, replayRun } from './replay-run.ts'

/** Where a new run is to go on from, and what is to be different. */
export interface Fork {
  id: string
  /** The path of the step it begins with; that of the step that failed unless given. */
  stepPath?: string | null | undefined
  /** Names of the payload, and of the state, with other values. */
  input?: unknown
  state?: unknown
  /** True: it takes the workflow's published version. */
  published?: boolean | null | undefined
  idempotencyKey?: string | null | undefined
  reason?: string | null | undefined
}

interface Source {
  id: string
  workflowId: string
  versionId: string
  version: number
  input: Record<string, unknown>
  priority: number
  definition: WorkflowDefinition
}

interface ForkRequest {
  stepPath: string | null
  input: Record<string, unknown>
  state: Record<string, unknown>
  published: boolean
  key: string | null
  reason: string | null
}

/**
 * Starts a run that begins at a step of another's main line. The tasks before it are copied with their results, and the
 * state is as it was when the step began, changed as asked. NOT_FOUND; BAD_INPUT for what was changed or a step that the
 * run has not come to; INVALID_STATE when the step is still open, the version has none such, or people decided before it
 * about what is changed; CONTAINED;
 * IDEMPOTENCY_KEY_REUSED.
 */
export async function forkRun(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  fork: Fork,
): Promise<{ id: string; created: boolean }> {
  if (!isId(fork.id)) fail('NOT_FOUND', { path: 'input.id' })
  const request = readFork(fork)
  const forked = await database.transact(actor, async (client) => {
    const source = await readSource(client, actor, fork.id)
    const hash = hashOf(source, request)
    const existing = await findForked(client, actor, source, request, hash)
    if (existing) return { id: existing, created: false }
    const { step, past } = await findStep(client, actor, source, request)
    const version = await versionOf(client, actor, source, request, step)
    await requireNoPassedReview(client, actor, {
      from: source.definition,
      to: version.definition,
      step: step.nodeId,
      tasks: past.tasks,
      changed: new Set([...Object.keys(request.input), ...Object.keys(request.state)]),
    })
    const input = { ...source.input, ...request.input }
    checkPayload(version.definition, input)
    const id = await insertRun(client, actor, source, {
      version: version.id,
      input,
      key: request.key,
      hash,
      timeoutMs: version.definition.timeoutMs ?? null,
    })
    if (id === undefined) return fail('CONFLICT', { path: 'input.idempotencyKey' })
    await copyTasks(
      client,
      actor,
      past.tasks.map((task) => task.id),
      id,
    )
    await insertStrands(client, actor.organizationId, id, [
      {
        id: uuidv7(),
        status: 'ready',
        state: { ...past.state, ...request.state },
        generation: 0,
        limit_key: limitKeyOf(version.definition, input) ?? undefined,
        resume: { type: 'step_entered', node: step.nodeId },
      },
    ])
    const data = { runId: id, workflowId: source.workflowId, workflowName: source.definition.name }
    await recordEvents(client, actor, [
      {
        type: 'run.forked',
        subject: `run/${id}`,
        data: {
          ...data,
          reason: request.reason,
          fromRunId: source.id,
          fromStepPath: step.stepPath,
          state: request.state,
        },
      },
    ])
    return { id, created: true }
  })
  database.announce()
  wake()
  return forked
}

/** Checks what is to be different; BAD_INPUT with paths below `path`. */
export function readFork(
  { stepPath, input, state, published, idempotencyKey, reason }: Omit<Fork, 'id'>,
  path = 'input',
): ForkRequest {
  return {
    stepPath: stepPath ?? null,
    input: readNames(input, `${path}.input`),
    state: readNames(state, `${path}.state`),
    published: published ?? false,
    key: readReason(idempotencyKey, 'input.idempotencyKey'),
    reason: readReason(reason),
  }
}

/** Values by name; the engine's own names cannot be changed. */
function readNames(given: unknown, path: string): Record<string, unknown> {
  const value = readJson(given ?? {}, path)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('BAD_INPUT', { path, message: 'It is an object: values by name.' })
  const own = Object.keys(value).find((name) => name.startsWith('$'))
  if (own !== undefined)
    fail('BAD_INPUT', { path: `${path}.${own}`, message: 'Names beginning with $ are the engine’s own.' })
  return { ...value }
}

async function readSource(client: pg.PoolClient, { organizationId }: Actor, id: string): Promise<Source> {
  const { rows } = await client.query<Source>(
    `select r.id, r.workflow_id as "workflowId", r.version_id as "versionId", v.version, r.input, r.priority, v.definition
     from run r join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     where r.organization_id = $1 and r.id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
}

async function findForked(
  client: pg.PoolClient,
  { organizationId }: Actor,
  { workflowId }: Source,
  { key }: ForkRequest,
  hash: string,
): Promise<string | undefined> {
  if (key === null) return undefined
  const { rows } = await client.query<{ id: string; request_hash: string }>(
    'select id, request_hash from run where organization_id = $1 and workflow_id = $2 and idempotency_key = $3',
    [organizationId, workflowId, key],
  )
  const [row] = rows
  if (row && row.request_hash !== hash) fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
  return row?.id
}

const hashOf = (source: Source, { stepPath, input, state, published }: ForkRequest): string =>
  createHash('sha256')
    .update(canonicalJson({ fork: source.id, stepPath, input, state, published }))
    .digest('base64url')

/** The step with which the new run begins, and what was before it. */
async function findStep(
  client: pg.PoolClient,
  { organizationId }: Actor,
  source: Source,
  { stepPath }: ForkRequest,
): Promise<{ step: PastTask; past: Past }> {
  const { rows } = await client.query<Omit<PastTask, 'status'> & { status: string; inside: boolean }>(
    `select distinct on (step_path) id, step_path as "stepPath", node_id as "nodeId", kind, status, attempt, output, error,
       parent_id is not null as inside
     from task where organization_id = $1 and run_id = $2 and step_path not like '%~undo'
       and (parent_id is null or step_path = $3) order by step_path, generation desc`,
    [organizationId, source.id, stepPath],
  )
  const main = new Map(
    rows.filter((task) => !task.inside && isPast(task)).map((task) => [task.stepPath, task as PastTask]),
  )
  const failed = rows.filter(({ inside, status }) => !inside && status === 'failed')
  const path = stepPath ?? failed.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0]?.stepPath
  if (path === undefined)
    return fail('BAD_INPUT', { path: 'input.stepPath', message: 'No step of the run failed; say which.' })
  const named = rows.find((task) => task.stepPath === path)
  if (named?.inside)
    fail('INVALID_STATE', {
      path: 'input.stepPath',
      message: 'The step is of a branch or an item.',
      hint: `Fork from the step around it: ${mainLineNode(source.definition, named.nodeId)}.`,
    })
  const step = main.get(path)
  if (named && !step)
    fail('INVALID_STATE', { path: 'input.stepPath', message: `The step is ${named.status}, not over.` })
  const past = step && (await replayRun(client, source, main, path))
  return step && past
    ? { step, past }
    : fail('BAD_INPUT', { path: 'input.stepPath', message: 'The run has not come to such a step.' })
}

const isPast = ({ status }: { status: string }): boolean =>
  ['completed', 'failed', 'skipped', 'cancelled'].includes(status)

/** The version of the new run, which must have the step, on its main line. */
async function versionOf(
  client: pg.PoolClient,
  actor: Actor,
  source: Source,
  { published }: ForkRequest,
  { nodeId }: PastTask,
): Promise<{ id: string; definition: WorkflowDefinition }> {
  const wanted = { workflowId: source.workflowId, version: published ? null : source.version }
  const target = (await findTargets(client, actor, [wanted]))(wanted)
  const id = target?.versionId
  if (!target || !id)
    return fail('INVALID_STATE', { path: 'input.published', message: 'No version is published.' })
  if (target.contained !== null)
    fail('CONTAINED', { path: 'input.id', message: `It was ordered to stop: ${target.contained}` })
  if (id === source.versionId) return { id, definition: source.definition }
  const { rows } = await client.query<{ definition: WorkflowDefinition }>(
    'select definition from workflow_version where organization_id = $1 and id = $2',
    [actor.organizationId, id],
  )
  const definition = rows[0]?.definition ?? fail('INTERNAL', { message: 'A version without its definition.' })
  if (!Object.hasOwn(definition.nodes, nodeId) || mainLineNode(definition, nodeId) !== nodeId)
    fail('INVALID_STATE', {
      path: 'input.published',
      message: `The published version has no step "${nodeId}" on its main line.`,
    })
  return { id, definition }
}

function checkPayload(definition: WorkflowDefinition, input: Record<string, unknown>): void {
  const problems = checkInput(definition, input).map(({ path, message }) => ({
    code: 'BAD_INPUT',
    message,
    path: `input.input${path.replaceAll('/', '.')}`,
  }))
  const [first] = problems
  if (first) fail('BAD_INPUT', { path: first.path, message: first.message, problems })
}

async function insertRun(
  client: pg.PoolClient,
  actor: Actor,
  source: Source,
  run: {
    version: string
    input: Record<string, unknown>
    key: string | null
    hash: string
    timeoutMs: number | null
  },
): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(
    `insert into run (organization_id, id, workflow_id, version_id, status, input, idempotency_key, request_hash, started_by,
       priority, forked_from_id, timeout_ms)
     values ($1, uuidv7(), $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10)
     on conflict (organization_id, workflow_id, idempotency_key) do nothing returning id`,
    [
      actor.organizationId,
      source.workflowId,
      run.version,
      JSON.stringify(run.input),
      run.key,
      run.hash,
      JSON.stringify(actorRecord(actor)),
      source.priority,
      source.id,
      run.timeoutMs,
    ],
  )
  return rows[0]?.id
}
