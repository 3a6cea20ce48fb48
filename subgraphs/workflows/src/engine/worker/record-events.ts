import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { budgetLeft } from '../../plans/budget-left.ts'
import { takePlan } from '../../plans/take-plan.ts'
import { advance, type CoreEvent, decide, isRunOver, type RunView, type Transition } from '../core/index.ts'
import { cancelBelow } from '../store/children.ts'
import type { EngineMemory } from '../store/engine-memory.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import { readArrivals, readUndoable } from '../store/hold-strands.ts'
import { inTransaction } from '../store/in-transaction.ts'
import {
  aboutTask,
  type AttemptResult,
  mergeChanges,
  type PlannedChange,
  planTransitions,
  referenceOf,
  unchanged,
} from '../store/plan-transitions.ts'
import { eventRow } from '../store/strand-change.ts'
import { type Written, writePlan } from '../store/write-plan.ts'
import type { TaskOutcome } from './outcome.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

/** Something to be recorded about a strand this worker holds: what its task came to, or what woke it. */
export interface Finished {
  held: HeldStrand
  /** Absent: the strand was woken, or begins. */
  outcome?: TaskOutcome
  /** The version of the agent that made the attempt, where that is known. */
  agentVersion?: number | undefined
  /** Whether this worker would go on with the next task at once. */
  mayContinue: boolean
  /** The beginning of the task, not written yet: it is written with its end, or by itself when there is no outcome. */
  begun?: PlannedChange
}

export interface RecordOptions {
  /** New children this worker takes at once. */
  slots: number
  /** Whether this worker may take this strand's children without a claim. */
  takesChildren?: (held: HeldStrand) => boolean
  passesClaim?: (held: HeldStrand, task: { agentId: string | null }) => boolean
}

export interface Recorded extends Written {
  /** What this worker goes on with, by the strand it comes from. */
  next: { after: HeldStrand; held: HeldStrand }[]
  /** Whether work for any worker came to be. */
  madeReady: boolean
  /** Milliseconds until the first of what was written is due; absent: nothing waits for a time. */
  dueMs?: number
  /** Strands that now wait for a signal. */
  awaiting: { organizationId: string; id: string }[]
  /** Organizations of runs that ended. */
  ended: ReadonlySet<string>
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
  const dues = done.flatMap(({ plan }) => duesOf(plan))
  return {
    ...written,
    ...(dues.length > 0 ? { dueMs: Math.min(...dues) } : {}),
    next: done.flatMap(({ held, plan }) => plan.next.map((next) => ({ after: held, held: next }))),
    madeReady: done.some(({ plan }) => plan.madeReady) || written.woken.length > 0,
    awaiting: done.flatMap(({ plan: { change } }) =>
      [change, ...(change.strands ?? [])]
        .filter(({ wait }) => wait?.startsWith('signal:'))
        .map(({ id }) => ({ organizationId: change.o, id })),
    ),
    ended: new Set(done.flatMap(({ plan: { change } }) => (change.r_over ? [change.o] : []))),
  }
}

/** Milliseconds until what a change writes is due. */
export function duesOf({ change }: PlannedChange, now: number = Date.now()): number[] {
  return [change, ...(change.strands ?? [])].flatMap(({ due_ms, due_at, status }) => {
    if (due_ms !== undefined) return [due_ms]
    return status === 'waiting' && due_at !== undefined ? [Date.parse(due_at) - now] : []
  })
}

/** Well below the second after which PostgreSQL looks for deadlocks. */
const GIVE_WAY_MS = 200

function write(pool: pg.Pool, planned: readonly { plan: PlannedChange }[]): Promise<Written> {
  const plan = { changes: planned.map(({ plan: { change } }) => change) }
  if (planned.every(({ plan: { cancels } }) => cancels.length === 0))
    return writePlan(pool, plan, WORKER_ACTOR)
  return inTransaction(pool, async (client) => {
    const written = await writePlan(client, plan, WORKER_ACTOR)
    const parents = planned.flatMap(({ plan: { cancels, change } }) =>
      written.written.has(change.id) ? cancels : [],
    )
    if (parents.length === 0) return written
    // A branch that arrives at this moment holds itself and waits for what we hold: who cancels gives way, and comes again.
    await client.query(`set local lock_timeout = '${GIVE_WAY_MS}ms'`)
    await cancelBelow(client, parents, WORKER_ACTOR)
    return written
  })
}

async function planOne(
  pool: pg.Pool,
  memory: EngineMemory,
  definition: WorkflowDefinition,
  finished: Finished,
  options: RecordOptions,
): Promise<PlannedChange> {
  const { begun, outcome, agentVersion } = finished
  if (begun && !outcome) return begun
  const ended = await planEvent(pool, memory, definition, finished, options)
  if (agentVersion !== undefined && ended.change.t_id !== undefined) ended.change.t_version = agentVersion
  if (!begun) return ended
  return { ...ended, change: mergeChanges(begun.change, ended.change) }
}

/**
 * Begins a child in memory: its first task, when that is an agent's, can be done at once and written with its end. Its
 * lease is held and its path, input and idempotency key follow from what is frozen, so whoever does it again after a
 * crash does the same. Undefined when its beginning is something else, which is recorded in the usual way.
 */
export async function beginChild(
  pool: pg.Pool,
  memory: EngineMemory,
  held: HeldStrand,
  { passesClaim }: RecordOptions,
): Promise<{ held: HeldStrand; begun: PlannedChange } | undefined> {
  const versions = [{ organizationId: held.run.organizationId, id: held.run.versionId }]
  const definition = (await memory.definitions.get(pool, versions)).get(held.run.versionId)
  if (!definition) return undefined
  const transitions = advance(definition, await viewWithin(pool, definition, held), {
    type: 'strand_started',
  })
  if (!transitions.every(({ type }) => IN_MEMORY.has(type))) return undefined
  const names = await memory.names.of(pool, held.run.organizationId, transitions)
  const begun = planTransitions(
    held,
    transitions,
    {},
    {
      names,
      definition,
      actor: WORKER_ACTOR,
      claim: randomUUID(),
      ...(passesClaim ? { passesClaim: (task) => passesClaim(held, task) } : {}),
    },
  )
  const [next] = begun.next
  // Nothing of it is written yet: in the database the fence stands where it stood.
  return next && { held: { ...next, fence: held.fence }, begun }
}

/** What may be put off until the end of a child's first task. */
export const IN_MEMORY: ReadonlySet<Transition['type']> = new Set<Transition['type']>([
  'create_task',
  'write_state',
  'record_choice',
])

async function planEvent(
  pool: pg.Pool,
  memory: EngineMemory,
  definition: WorkflowDefinition,
  { held, outcome, mayContinue }: Finished,
  { slots, takesChildren, passesClaim }: RecordOptions,
): Promise<PlannedChange> {
  if (isRunOver(held.runStatus)) return planEnd(held)
  if (outcome?.type === 'waiting') return planDecision(held, outcome.approvalId)
  const plan =
    outcome?.type === 'succeeded' ? await takePlan(pool, definition, held, outcome.output) : undefined
  const event = plan ?? (outcome ? eventOf(held, outcome) : await wordOf(pool, definition, held))
  const { output, ...spent }: AttemptResult = outcome ? resultOf(outcome) : resultByHand(event)
  const result = plan ? spent : { output, ...spent }
  const view = await viewWithin(pool, definition, held, spent.costUsd)
  const transitions = decide(definition, view, event, held.task?.nodeId)
  const names = await memory.names.of(pool, held.run.organizationId, transitions, definition)
  return planTransitions(held, transitions, result, {
    names,
    definition,
    actor: WORKER_ACTOR,
    slots: takesChildren?.(held) === false ? 0 : slots,
    ...(mayContinue ? { claim: randomUUID() } : {}),
    ...(passesClaim ? { passesClaim: (task) => passesClaim(held, task) } : {}),
  })
}

/** A strand of a run that is over goes. */
function planEnd(held: HeldStrand): PlannedChange {
  return { change: { ...unchanged(held), gone: true }, next: [], cancels: [], madeReady: false }
}

/** The strand as the core is shown it, with what its plan may still cost; `spentUsd` is not written yet. */
async function viewWithin(
  pool: pg.Pool,
  { planned }: WorkflowDefinition,
  held: HeldStrand,
  spentUsd = 0,
): Promise<RunView> {
  const view = viewOf(held)
  const left = planned?.budgetUsd === undefined ? null : await budgetLeft(pool, held.run)
  return left === null ? view : { ...view, budgetLeftUsd: left - spentUsd }
}

/** What a strand waits by whose task a worker outside is to do. */
const workerWaitKey = (taskId: string): string => `worker:${taskId}`

/** The strand as the core is shown it; `now` in epoch milliseconds. */
export function viewOf(
  { run, runStatus, path, compound, key, state, outer, task }: HeldStrand,
  now: number = Date.now(),
): RunView {
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
            elapsedMs: now - task.createdMs,
          },
        }
      : {}),
    seed: run.id,
  }
}

async function wordOf(
  pool: pg.Pool,
  { nodes }: WorkflowDefinition,
  { id, run, resume, task, parentId }: HeldStrand,
): Promise<CoreEvent> {
  if (resume?.type === 'compensation_listed') {
    const undoable = Object.values(nodes).filter((node) => node.kind === 'task' && node.compensate)
    return {
      ...resume,
      steps: await readUndoable(
        pool,
        run.id,
        undoable.map((node) => node.id),
      ),
    }
  }
  if (resume) return resume
  if (!task) return { type: parentId === null ? 'run_started' : 'strand_started' }
  return {
    type: 'children_done',
    node: task.nodeId,
    arrivals: await readArrivals(pool, { id, taskId: task.id }),
  }
}

/** What an attempt came to, as the core is told. */
export function eventOf({ task }: HeldStrand, outcome: Exclude<TaskOutcome, { type: 'waiting' }>): CoreEvent {
  const node = task?.nodeId ?? ''
  const attempt = task?.attempt ?? 0
  if (outcome.type === 'succeeded')
    return { type: 'task_succeeded', node, attempt, output: outcome.output ?? null }
  if (outcome.type === 'failed') return { type: 'task_failed', node, attempt, error: outcome.error }
  return { type: 'task_timed_out', node, attempt }
}

/** What an attempt brought, beside what the core makes of it. */
export function resultOf(outcome: TaskOutcome): AttemptResult {
  if (outcome.type !== 'succeeded' && outcome.type !== 'failed') return {}
  const { costUsd = 0, recovery } = outcome
  const spent = { costUsd, ...(recovery ? { recovery } : {}) }
  if (outcome.type === 'succeeded') return { output: outcome.output ?? null, ...spent }
  return { ...spent, ...(outcome.error.fault ? { fault: outcome.error.fault } : {}) }
}

/** A result that somebody gave in the agent's place, or a worker outside. */
export const resultByHand = (event: CoreEvent): AttemptResult =>
  event.type === 'task_succeeded'
    ? { output: event.output, ...(event.costUsd === undefined ? {} : { costUsd: event.costUsd }) }
    : {}

/** An agent's task that waits for a person; without an approval, for a worker outside, until the attempt's time is over. */
function planDecision(held: HeldStrand, approvalId: string | null): PlannedChange {
  const { run, task } = held
  const change = unchanged(held)
  change.status = 'waiting'
  const reference = referenceOf(run)
  if (task) {
    Object.assign(change, { t_id: task.id, t_status: 'waiting', t_approval: approvalId ?? undefined })
    if (approvalId === null) {
      const { id, nodeId: node, attempt, timeoutMs } = task
      const resume: CoreEvent = { type: 'task_timed_out', node, attempt }
      Object.assign(change, { wait: workerWaitKey(id), due_ms: timeoutMs, resume })
    }
    const { subject, data } = aboutTask(reference, task)
    change.events.push(
      eventRow({
        type: 'task.waiting',
        subject,
        data: { ...data, approvalId, waitsFor: approvalId === null ? 'worker' : 'decision' },
      }),
    )
  }
  if (held.parentId === null && held.runStatus === 'running') {
    change.r_status = 'waiting'
    change.events.push(eventRow({ type: 'run.waiting', subject: `run/${run.id}`, data: reference }))
  }
  return { change, next: [], cancels: [], madeReady: false }
}
