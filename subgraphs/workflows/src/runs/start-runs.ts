import { createHash } from 'node:crypto'
import { type Actor, canonicalJson, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { Services } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { advance, checkInput, type Transition } from '../engine/core/index.ts'
import { engineMemoryOf } from '../engine/store/engine-memory.ts'
import type { HeldStrand } from '../engine/store/held-strand.ts'
import { mainStrand, type PlanOptions, planTransitions } from '../engine/store/plan-transitions.ts'
import { type StartRow, writeStart } from '../engine/store/write-start.ts'
import { limitKeyOf } from '../limits/limit-key.ts'
import { limitMemoryOf } from '../limits/limit-memory.ts'
import { engineDefaultsOf } from '../settings/engine-defaults.ts'
import { findTargets, type RunSelector, type RunTarget } from './find-targets.ts'

export interface RunRequest extends RunSelector {
  input: Record<string, unknown>
  idempotencyKey?: string | null
  /** -10 to 10; the workflow's own unless given. */
  priority?: number | null
  /** Nothing happens before. */
  startAt?: Date | null
  triggerId?: string | null
}

export interface StartedRun {
  id: string
  /** False when its idempotency key had started it before. */
  created: boolean
}

/** A run's row, and what the worker of this process goes on with once it is written. */
interface PlannedStart {
  row: StartRow
  next: HeldStrand[]
}

interface WantedRun {
  request: RunRequest
  target: RunTarget
  id: string
  hash: string
}

/**
 * Starts runs of the workflows' published versions, all or none, in one transaction. Answers in the order given.
 * NOT_FOUND for an unknown workflow or version, INVALID_STATE when none is published, CONTAINED when an order to stop
 * stands, IDEMPOTENCY_KEY_REUSED when a key comes with another input.
 */
export async function startRuns(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  requests: readonly RunRequest[],
  path: (index: number) => string,
): Promise<StartedRun[]> {
  const memory = engineMemoryOf(database)
  const taken: HeldStrand[] = []
  const asked = performance.now()
  const started = await database.transact(
    actor,
    async (client) => {
      taken.length = 0
      const targets = await findTargets(client, actor, requests)
      const wanted = requests.map((request, index) => {
        const target = targets(request)
        if (!target) return fail('NOT_FOUND', { path: path(index), message: 'There is no such workflow.' })
        if (target.versionId === null)
          return fail('INVALID_STATE', {
            path: path(index),
            message: 'No version of the workflow is published.',
          })
        if (target.contained !== null)
          return fail('CONTAINED', {
            path: path(index),
            message: `It was ordered to stop: ${target.contained}`,
            hint: 'liftContainment lifts the order.',
          })
        return { request, target, id: uuidv7(), hash: hashOf(request.input) }
      })
      const rows = await rowsOf(client, database, actor, wanted, path)
      const created = await writeStart(
        client,
        actor,
        rows.map(({ row }) => row),
      )
      for (const { row, next } of rows) {
        // Their place in the queue is by the database's clock, not by this process's.
        const createdAt = created.get(row.id)
        if (createdAt !== undefined)
          taken.push(...next.map((held) => ({ ...held, run: { ...held.run, createdAt } })))
      }
      const existing = await findExisting(
        client,
        actor,
        wanted.filter(({ id }) => !created.has(id)),
      )
      return wanted.map(({ request, id, hash, target }, index) => {
        if (created.has(id)) return { id, created: true }
        const known = existing.get(`${target.workflowId}/${request.idempotencyKey}`)
        if (!known || known.hash !== hash)
          return fail('IDEMPOTENCY_KEY_REUSED', { path: `${path(index)}.idempotencyKey` })
        return { id: known.id, created: false }
      })
    },
    { plan: 'generic' },
  )
  if (started.some((run) => run.created)) {
    database.announce()
    memory.taker?.begin(taken, asked)
    if (taken.length < started.length) wake()
  }
  return started
}

async function rowsOf(
  client: pg.PoolClient,
  database: Services['database'],
  actor: Actor,
  wanted: readonly WantedRun[],
  path: (index: number) => string,
): Promise<PlannedStart[]> {
  const memory = engineMemoryOf(database)
  const definitions = await memory.definitions.get(
    client,
    wanted.flatMap(({ target: { versionId } }) =>
      versionId === null ? [] : [{ organizationId: actor.organizationId, id: versionId }],
    ),
  )
  const limits = limitMemoryOf(database)
  const { organizationId } = actor
  const defaults = await engineDefaultsOf(database).of(client, organizationId)
  const line = new Set<string>()
  for (const { workflowId } of wanted.map(({ target }) => target))
    if (!line.has(workflowId) && (await limits.startsInLine(client, organizationId, workflowId)))
      line.add(workflowId)
  const isFree = line.size === 0 && limits.mayTakeChildren(organizationId)
  const mayBegin = isFree && !wanted.some(({ target }) => target.ordersStand)
  const reserved = mayBegin ? memory.taker?.reserve(organizationId, wanted.length) : undefined
  const rows: PlannedStart[] = []
  for (const [index, run] of wanted.entries()) {
    const definition = definitions.get(run.target.versionId ?? '')
    if (!definition) return fail('INTERNAL', { message: 'A version without its definition.' })
    checkRunInput(definition, run, path(index))
    const held = beginning(actor, run, definition)
    const waits = run.request.startAt != null || line.has(run.target.workflowId)
    const transitions = waits ? [] : firstTransitions(definition, held)
    const names = await memory.names.of(client, organizationId, transitions)
    const start = planStart(run, held, transitions, {
      names,
      definition,
      actor: actorRecord(actor),
      ...(reserved && index < reserved.count && !waits ? { claim: reserved.claim } : {}),
    })
    start.row.timeout ??= defaults.runTimeoutMs
    for (const strand of start.row.strands) strand.limit_key = held.limitKey ?? undefined
    rows.push(start)
  }
  return rows
}

/** The trigger's payload as the definition wants it; all mistakes at once. */
function checkRunInput(definition: WorkflowDefinition, { request }: WantedRun, path: string): void {
  const problems = checkInput(definition, request.input)
  if (problems.length > 0)
    fail('BAD_INPUT', {
      path: `${path}.input`,
      problems: problems.map((problem) => ({
        code: 'SCHEMA',
        ...problem,
        path: `${path}.input${problem.path}`,
      })),
    })
}

/** The run's main strand as the core is shown it before anything has happened. */
function beginning(
  { organizationId }: Actor,
  { id, target, request }: WantedRun,
  definition: WorkflowDefinition,
): HeldStrand {
  return {
    id: uuidv7(),
    fence: 0n,
    epoch: 0,
    runStatus: 'queued',
    run: {
      organizationId,
      id,
      workflowId: target.workflowId,
      workflowName: target.name,
      versionId: target.versionId ?? '',
      input: request.input,
      createdAt: new Date().toISOString(),
      priority: request.priority ?? definition.priority ?? 0,
      depth: 0,
      parentStrandId: null,
    },
    limitKey: limitKeyOf(definition, request.input),
    parentId: null,
    parentTaskId: null,
    compound: null,
    key: null,
    position: null,
    path: '',
    state: {},
    outer: [],
    task: null,
    resume: null,
    generation: 0,
    recoveries: 0,
  }
}

/** What the start writes with it; nothing where a worker had better begin: branches, sub-workflows, an end at once. */
function firstTransitions(definition: WorkflowDefinition, held: HeldStrand): Transition[] {
  const view = {
    status: 'queued',
    input: held.run.input,
    strand: { path: '', state: {}, outer: [] },
    seed: held.run.id,
  } as const
  const transitions = advance(definition, view, { type: 'run_started' })
  const last = transitions.at(-1)
  const isPlain =
    last?.type === 'create_task' &&
    last.kind !== 'parallel' &&
    last.kind !== 'map' &&
    last.kind !== 'workflow'
  return isPlain ? transitions : []
}

function planStart(
  { request, target, hash }: WantedRun,
  held: HeldStrand,
  transitions: readonly Transition[],
  options: PlanOptions,
): PlannedStart {
  const { run } = held
  const aged = -run.priority * 3_600_000
  const startAt = request.startAt?.toISOString()
  const strand = { ...mainStrand(run), id: held.id, due_at: startAt, due_ms: startAt ? undefined : aged }
  const row: StartRow = {
    id: run.id,
    workflow: target.workflowId,
    version: run.versionId,
    number: target.version ?? 0,
    pinned: request.version != null,
    status: 'queued',
    input: request.input,
    key: request.idempotencyKey ?? null,
    hash,
    priority: run.priority,
    start_at: startAt ?? null,
    trigger: request.triggerId ?? null,
    timeout: options.definition.timeoutMs ?? null,
    strands: [strand],
    tasks: [],
    events: [],
  }
  const { claim } = options
  if (transitions.length === 0 && claim === undefined) return { row, next: [] }
  // Taken as it stands: the worker of this process begins it.
  if (transitions.length === 0)
    return {
      row: { ...row, strands: [{ ...strand, status: 'running', claim }] },
      next: [{ ...held, fence: 1n }],
    }
  const { change, next } = planTransitions(held, transitions, {}, options)
  const { status, task, agent, wait, resume, tasks = [], events } = change
  const begun = {
    ...strand,
    status,
    task,
    agent,
    wait,
    resume,
    state: change.patch ?? {},
    claim: next.length > 0 ? claim : undefined,
    due_at: status === 'ready' ? undefined : change.due_at,
    due_ms: status === 'ready' ? (change.due_ms ?? aged) : change.due_ms,
  }
  return { row: { ...row, status: change.r_status ?? 'running', strands: [begun], tasks, events }, next }
}

/** Of what was not inserted: who was first with the key. */
async function findExisting(
  client: pg.PoolClient,
  actor: Actor,
  missing: readonly WantedRun[],
): Promise<Map<string, { id: string; hash: string }>> {
  if (missing.length === 0) return new Map()
  const { rows } = await client.query<{
    id: string
    workflow_id: string
    idempotency_key: string
    request_hash: string
  }>(
    `select id, workflow_id, idempotency_key, request_hash from run
     where organization_id = $1 and (workflow_id, idempotency_key) in (select * from unnest($2::uuid[], $3::text[]))`,
    [
      actor.organizationId,
      missing.map(({ target }) => target.workflowId),
      missing.map(({ request }) => request.idempotencyKey ?? null),
    ],
  )
  return new Map(
    rows.map((row) => [`${row.workflow_id}/${row.idempotency_key}`, { id: row.id, hash: row.request_hash }]),
  )
}

/** Equal inputs hash equally, whatever the order of their keys. */
function hashOf(input: unknown): string {
  return createHash('sha256').update(canonicalJson(input)).digest('base64url')
}
