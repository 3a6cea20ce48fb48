import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { advance, type CoreEvent, type RunView, type Transition } from '../core/index.ts'
import { cancelBelow } from '../store/children.ts'
import type { EngineMemory } from '../store/engine-memory.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import { readArrivals, readUndoable } from '../store/hold-strands.ts'
import {
  aboutTask,
  type PlannedChange,
  planTransitions,
  referenceOf,
  unchanged,
} from '../store/plan-transitions.ts'
import { eventRow, type Written, writePlan } from '../store/write-plan.ts'
import type { TaskOutcome } from './outcome.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

/** Something to be recorded about a strand this worker holds: what its task came to, or what woke it. */
export interface Finished {
  held: HeldStrand
  /** Absent: the strand was woken, or begins. */
  outcome?: TaskOutcome
  /** Whether this worker would go on with the next task at once. */
  mayContinue: boolean
}

export interface RecordOptions {
  /** New children this worker takes at once. */
  slots: number
  passesClaim?: (held: HeldStrand, task: { agentId: string | null }) => boolean
}

export interface Recorded extends Written {
  /** What this worker goes on with, by the strand it comes from. */
  next: { after: HeldStrand; held: HeldStrand }[]
  /** Whether work for any worker came to be. */
  madeReady: boolean
  /** Strands that now wait for a signal. */
  awaiting: string[]
}

/**
 * Records everything that finished in this moment: decided by the core on what this process holds, written in one
 * statement that is gated by every strand's fence and every run's epoch.
 */
export async function recordEvents(
  pool: pg.Pool,
  memory: EngineMemory,
  finished: readonly Finished[],
  options: RecordOptions,
): Promise<Recorded> {
  const definitions = await memory.definitions.get(
    pool,
    finished.map(({ held: { run } }) => ({ organizationId: run.organizationId, id: run.versionId })),
  )
  const planned: { held: HeldStrand; plan: PlannedChange }[] = []
  let slots = options.slots
  for (const each of finished) {
    const definition = definitions.get(each.held.run.versionId)
    if (!definition) throw new Error(`Version ${each.held.run.versionId} is without its definition.`)
    const plan = await planOne(pool, memory, definition, each, { ...options, slots })
    slots = Math.max(0, slots - Math.max(0, plan.next.length - 1))
    planned.push({ held: each.held, plan })
  }
  const written = await write(pool, planned)
  const done = planned.filter(({ held }) => written.written.has(held.id))
  return {
    ...written,
    next: done.flatMap(({ held, plan }) => plan.next.map((next) => ({ after: held, held: next }))),
    madeReady: done.some(({ plan }) => plan.madeReady) || written.woken.length > 0,
    awaiting: done.flatMap(({ held, plan }) => [
      ...(plan.change.wait?.startsWith('signal:') ? [held.id] : []),
      ...plan.change.strands.flatMap(({ id, wait }) => (wait?.startsWith('signal:') ? [id] : [])),
    ]),
  }
}

async function write(pool: pg.Pool, planned: readonly { plan: PlannedChange }[]): Promise<Written> {
  const plan = { changes: planned.map(({ plan: { change } }) => change) }
  if (planned.every(({ plan: { cancels } }) => cancels.length === 0))
    return writePlan(pool, plan, WORKER_ACTOR)
  const client = await pool.connect()
  let failed = true
  try {
    await client.query('begin')
    const written = await writePlan(client, plan, WORKER_ACTOR)
    const parents = planned.flatMap(({ plan: { cancels, change } }) =>
      written.written.has(change.id) ? cancels : [],
    )
    if (parents.length > 0) await cancelBelow(client, parents, WORKER_ACTOR)
    await client.query('commit')
    failed = false
    return written
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

async function planOne(
  pool: pg.Pool,
  memory: EngineMemory,
  definition: WorkflowDefinition,
  { held, outcome, mayContinue }: Finished,
  { slots, passesClaim }: RecordOptions,
): Promise<PlannedChange> {
  if (outcome?.type === 'waiting') return planDecision(held, outcome.approvalId)
  const event = outcome ? eventOf(held, outcome) : await wordOf(pool, held)
  const view = viewOf(held)
  const transitions = advance(definition, view, event)
  if (transitions.some(({ type }) => type === 'compensate_run'))
    transitions.push(...(await compensate(pool, definition, view, held, transitions)))
  const names = await memory.names.of(pool, held.run.organizationId, transitions)
  return planTransitions(held, transitions, outcome ? resultOf(outcome) : {}, {
    names,
    definition,
    actor: WORKER_ACTOR,
    slots,
    ...(mayContinue ? { claim: randomUUID() } : {}),
    ...(passesClaim ? { passesClaim: (task) => passesClaim(held, task) } : {}),
  })
}

/** The run is about to fail and has steps that can be undone: the core is told which, and says what to do first. */
async function compensate(
  pool: pg.Pool,
  definition: WorkflowDefinition,
  view: RunView,
  held: HeldStrand,
  before: readonly Transition[],
): Promise<Transition[]> {
  const undoable = Object.values(definition.nodes).flatMap((node) =>
    node.kind === 'task' && node.compensate ? [node.id] : [],
  )
  const steps = await readUndoable(pool, held.run.id, undoable)
  const written = before.flatMap((each) =>
    each.type === 'write_state' ? [[each.name, each.value] as const] : [],
  )
  const { task: _, ...around } = view
  const state = { ...view.strand.state, ...Object.fromEntries(written) }
  return advance(
    definition,
    { ...around, strand: { ...view.strand, state } },
    { type: 'compensation_listed', steps },
  )
}

/** The strand as the core is shown it. */
export function viewOf({ run, runStatus, path, compound, key, state, outer, task }: HeldStrand): RunView {
  return {
    status: runStatus,
    input: run.input,
    strand: {
      path,
      ...(compound === null ? {} : { compound }),
      ...(key === null ? {} : { key }),
      state,
      outer,
    },
    ...(task
      ? {
          task: {
            status: task.status === 'ready' ? 'running' : task.status,
            attempt: task.attempt,
            path: task.path,
            elapsedMs: Date.now() - task.createdMs,
          },
        }
      : {}),
    seed: run.id,
  }
}

async function wordOf(pool: pg.Pool, { resume, task, parentId }: HeldStrand): Promise<CoreEvent> {
  if (resume) return resume
  if (!task) return { type: parentId === null ? 'run_started' : 'strand_started' }
  return { type: 'children_done', node: task.nodeId, arrivals: await readArrivals(pool, task.id) }
}

function eventOf({ task }: HeldStrand, outcome: Exclude<TaskOutcome, { type: 'waiting' }>): CoreEvent {
  const node = task?.nodeId ?? ''
  const attempt = task?.attempt ?? 0
  if (outcome.type === 'succeeded')
    return { type: 'task_succeeded', node, attempt, output: outcome.output ?? null }
  if (outcome.type === 'failed') return { type: 'task_failed', node, attempt, error: outcome.error }
  return { type: 'task_timed_out', node, attempt }
}

function resultOf(outcome: TaskOutcome): { output?: unknown; costUsd?: number } {
  if (outcome.type === 'succeeded') return { output: outcome.output ?? null, costUsd: outcome.costUsd ?? 0 }
  return outcome.type === 'failed' ? { costUsd: outcome.costUsd ?? 0 } : {}
}

/** An agent's task that waits for a person. */
function planDecision(held: HeldStrand, approvalId: string): PlannedChange {
  const { run, task } = held
  const change = unchanged(held)
  change.status = 'waiting'
  const reference = referenceOf(run)
  if (task) {
    Object.assign(change, { t_id: task.id, t_status: 'waiting', t_approval: approvalId })
    const { subject, data } = aboutTask(reference, task)
    change.events.push(
      eventRow(run.organizationId, {
        type: 'task.waiting',
        subject,
        data: { ...data, approvalId, waitsFor: 'decision' },
      }),
    )
  }
  if (held.parentId === null && held.runStatus === 'running') {
    change.r_status = 'waiting'
    change.events.push(
      eventRow(run.organizationId, { type: 'run.waiting', subject: `run/${run.id}`, data: reference }),
    )
  }
  return { change, next: [], cancels: [], madeReady: false }
}
