import type { Actor, EventData, NewEvent } from '@tutti/schema'
import { v7 as uuidv7 } from 'uuid'
import type { Assignee, WorkflowDefinition } from '../../definitions/index.ts'
import {
  type Arrival,
  type CreateTask,
  isRunOver,
  type NewStrand,
  runStatusAfter,
  type Transition,
} from '../core/index.ts'
import type { Names } from './engine-names.ts'
import type { HeldStrand, HeldTask, RunContext } from './held-strand.ts'
import { eventRow, type RunRow, type StrandChange, type StrandRow, type TaskRow } from './write-plan.ts'

/** What an attempt brought, beside what the core made of it. */
export interface AttemptResult {
  output?: unknown
  costUsd?: number
}

export interface PlanOptions {
  names: Names
  definition: WorkflowDefinition
  /** Set to keep the strand, and the first of its children, under this claim. */
  claim?: string
  /** Children this worker takes at once. */
  slots?: number
  /** Who acts, in what a sub-run says of its start. */
  actor: Pick<Actor, 'id' | 'kind' | 'name'>
  /** New work of this kind of task passes the claim, since a limit applies to it. */
  passesClaim?: (task: { agentId: string | null }) => boolean
}

/** One strand's change, and what this worker goes on with once it is written. */
export interface PlannedChange {
  change: StrandChange
  next: HeldStrand[]
  /** Strands whose children are to be cancelled with it. */
  cancels: string[]
  /** Whether work for others comes to be. */
  madeReady: boolean
}

type RunReference = EventData<'run.started'>

/** Turns the core's transitions for one strand into one change, in the core's order. */
export function planTransitions(
  held: HeldStrand,
  transitions: readonly Transition[],
  result: AttemptResult,
  options: PlanOptions,
): PlannedChange {
  return new Planner(held, result, options).plan(transitions)
}

/** Where a run's strands stand in the queue: older runs end first, a step of priority is worth an hour. */
export function placeOf({ createdAt, priority }: Pick<RunContext, 'createdAt' | 'priority'>): string {
  return priority === 0 ? createdAt : new Date(Date.parse(createdAt) - priority * 3_600_000).toISOString()
}

class Planner {
  readonly #held: HeldStrand
  readonly #result: AttemptResult
  readonly #options: PlanOptions
  readonly #reference: RunReference
  readonly #change: StrandChange
  readonly #next: HeldStrand[] = []
  readonly #cancels: string[] = []
  readonly #patch: Record<string, unknown> = {}
  #madeReady = false
  /** The task created by these transitions, for what follows it: its children, its sub-run. */
  #created: TaskRow | undefined
  #slots: number

  constructor(held: HeldStrand, result: AttemptResult, options: PlanOptions) {
    this.#held = held
    this.#result = result
    this.#options = options
    this.#slots = options.slots ?? 0
    this.#reference = referenceOf(held.run)
    this.#change = unchanged(held)
  }

  plan(transitions: readonly Transition[]): PlannedChange {
    const { runStatus, task, parentId } = this.#held
    const change = this.#change
    if (this.#result.costUsd && task)
      Object.assign(change, { t_id: task.id, t_status: task.status, t_cost: this.#result.costUsd })
    if (this.#held.runStatus === 'queued') {
      this.#emit({ type: 'run.started', subject: `run/${this.#held.run.id}`, data: this.#reference })
    }
    for (const transition of transitions) this.#apply(transition)
    if (Object.keys(this.#patch).length > 0) change.patch = this.#patch
    if (parentId === null) this.#moveRun(runStatusAfter(runStatus, transitions))
    return { change, next: this.#next, cancels: this.#cancels, madeReady: this.#madeReady }
  }

  #apply(transition: Transition): void {
    switch (transition.type) {
      case 'create_task':
        return this.#goTo(transition)
      case 'settle_task':
        return this.#settle(transition)
      case 'retry_task':
        return this.#retry(transition)
      case 'start_strands':
        return this.#spread(transition)
      case 'cancel_children':
        this.#cancels.push(this.#held.id)
        return
      case 'arrive':
        return this.#arrive(transition.arrival)
      case 'write_state':
        this.#patch[transition.name] = transition.value
        return
      case 'complete_run':
      case 'fail_run':
      case 'cancel_run':
        return this.#end(transition)
      case 'record_choice':
      case 'compensate_run':
        return
    }
  }

  /** The strand is at a new task: goes on in place, waits for a worker, or waits for something else. */
  #goTo(transition: CreateTask): void {
    const { run, runStatus } = this.#held
    const change = this.#change
    const task = this.#toTask(transition, this.#held.parentTaskId, this.#held.position)
    this.#created = task
    change.tasks.push(task)
    change.task = task.id
    change.agent = task.agent_id
    change.recoveries = 0
    if (transition.status === 'waiting') {
      this.#wait(transition, task)
      return
    }
    const delayMs = transition.kind === 'agent' ? (transition.delayMs ?? 0) : 0
    const paused = runStatus === 'paused'
    const { claim, passesClaim } = this.#options
    if (claim && delayMs === 0 && !paused && !passesClaim?.({ agentId: task.agent_id })) {
      task.status = 'running'
      task.attempt = 1
      change.keep = true
      change.status = 'running'
      this.#emitTask('task.started', task)
      this.#next.push(this.#after(task))
      return
    }
    change.status = paused ? 'held' : 'ready'
    if (delayMs > 0) change.due_ms = delayMs
    else if (!paused) change.due_at = placeOf(run)
    this.#madeReady = true
    this.#emitTask('task.ready', task)
  }

  #wait(transition: CreateTask & { status: 'waiting' }, task: TaskRow): void {
    const change = this.#change
    change.status = 'waiting'
    const about = aboutTask(this.#reference, { ...task, agentId: null })
    const data = { ...about.data, approvalId: null, waitsFor: waitsFor(transition) }
    this.#emit({ type: 'task.waiting', subject: about.subject, data })
    if (transition.kind === 'wait') {
      change.wait = transition.waitKey ?? null
      change.due_ms = transition.wakeAfterMs ?? null
      change.due_at = transition.wakeAt ?? null
      // A mere time needs no word of what woke it: kept beside, since the claim cannot tell it from a limit.
      if (!transition.expires) change.resume = { type: 'wait_over', node: transition.node }
    }
    if (transition.kind === 'workflow') this.#startSubrun(transition, task)
  }

  #startSubrun(transition: CreateTask & { kind: 'workflow' }, task: TaskRow): void {
    const { run, id } = this.#held
    const change = this.#change
    const { node } = transition
    const target = this.#options.names.version(transition.workflow, transition.version)
    const refusal = subrunRefusal(transition.workflow, target !== undefined, run.depth)
    if (!target || refusal) {
      this.#wakeNow({ type: 'child_run_ended', node, status: 'failed', output: {}, error: refusal })
      return
    }
    const child: RunRow = {
      o: run.organizationId,
      id: uuidv7(),
      workflow: target.workflowId,
      version: target.versionId,
      input: transition.input,
      started_by: this.#options.actor,
      priority: run.priority,
      depth: run.depth + 1,
      parent_run: run.id,
      parent_task: task.id,
      parent_strand: transition.wait ? id : null,
    }
    change.runs.push(child)
    change.strands.push(mainStrand({ ...run, id: child.id, workflowId: target.workflowId }))
    this.#madeReady = true
    if (transition.wait) change.due_ms = transition.wakeAfterMs ?? null
    else this.#wakeNow({ type: 'wait_over', node, payload: { runId: child.id } })
  }

  /** The strand has what it waits for already: a worker takes it up at once. */
  #wakeNow(resume: unknown): void {
    Object.assign(this.#change, { status: 'ready', due_at: placeOf(this.#held.run), due_ms: null, resume })
    this.#madeReady = true
  }

  #settle({ status, error, output }: Transition & { type: 'settle_task' }): void {
    const { task } = this.#held
    if (!task) return
    const change = this.#change
    const result = output === undefined ? this.#result.output : output
    Object.assign(change, {
      t_id: task.id,
      t_status: status,
      t_output: result ?? null,
      t_error: error ?? null,
      t_over: true,
    })
    const about = aboutTask(this.#reference, task)
    if (status === 'failed')
      this.#emit({
        type: 'task.failed',
        subject: about.subject,
        data: { ...about.data, error: error ?? UNKNOWN },
      })
    else this.#emit({ type: SETTLED[status], ...about })
  }

  #retry({ delayMs, error }: Transition & { type: 'retry_task' }): void {
    const { task, runStatus } = this.#held
    if (!task) return
    const change = this.#change
    Object.assign(change, { t_id: task.id, t_status: 'ready', t_error: error })
    const paused = runStatus === 'paused'
    Object.assign(change, { status: paused ? 'held' : 'ready', due_ms: paused ? null : delayMs })
    this.#madeReady = true
    const about = aboutTask(this.#reference, task)
    const readyAt = new Date(Date.now() + delayMs).toISOString()
    this.#emit({ type: 'task.retrying', subject: about.subject, data: { ...about.data, error, readyAt } })
  }

  /** The children of the compound task just created: those that begin at once with their first task, others by a claim. */
  #spread({ node, strands, needed, failFast, concurrency }: Transition & { type: 'start_strands' }): void {
    const compound = this.#created
    if (!compound) throw new Error(`The strands of "${node}" begin without their task.`)
    const change = this.#change
    let arrived = 0
    let good = 0
    for (const [position, strand] of strands.entries()) {
      const arrival = this.#beginChild(strand, compound, position, concurrency)
      if (!arrival) continue
      arrived += 1
      if (arrival.ok) good += 1
    }
    change.pending = strands.length - arrived
    change.needed = needed - good
    change.fast = failFast
    change.width = concurrency ?? null
    const enough = change.pending <= 0 || change.needed <= 0 || (failFast && arrived > good)
    if (enough) this.#wakeNow(null)
  }

  /** Begins one child; the answer is its arrival if it was over at once. */
  #beginChild(
    strand: NewStrand,
    compound: TaskRow,
    position: number,
    concurrency: number | undefined,
  ): Arrival | undefined {
    const { run, id, outer, state, runStatus } = this.#held
    const around = [{ ...state, ...this.#patch }, ...outer]
    const row: StrandRow = {
      ...mainStrand(run),
      id: uuidv7(),
      parent: id,
      parent_task: compound.id,
      compound: compound.node,
      key: strand.key,
      position,
      path: strand.path,
      state: strand.state,
    }
    const begun = strand.transitions
    if (!begun) {
      const isHeld = runStatus === 'paused' || (concurrency !== undefined && position >= concurrency)
      if (isHeld) Object.assign(row, { status: 'held', due_at: null })
      this.#change.strands.push(row)
      this.#madeReady = true
      return undefined
    }
    const child: HeldStrand = {
      ...this.#held,
      id: row.id,
      fence: 0n,
      parentId: id,
      parentTaskId: compound.id,
      compound: compound.node,
      key: strand.key,
      position,
      path: strand.path,
      state: strand.state,
      outer: around,
      task: null,
      resume: null,
      recoveries: 0,
      runStatus: runStatus === 'queued' ? 'running' : runStatus,
    }
    const { claim, ...options } = this.#options
    const takes = claim !== undefined && this.#slots > 0
    const planned = planTransitions(child, begun, {}, takes ? { ...options, claim, slots: 0 } : options)
    const made = planned.change
    this.#change.tasks.push(...made.tasks)
    this.#change.strands.push(...made.strands)
    this.#change.runs.push(...made.runs)
    this.#change.events.push(...made.events)
    this.#madeReady ||= planned.madeReady
    if (made.gone) return made.t_arrival as Arrival
    this.#slots -= planned.next.length
    const ours = planned.next.length > 0
    this.#next.push(...planned.next)
    this.#change.strands.push({
      ...row,
      state: { ...row.state, ...made.patch },
      task: made.task,
      agent: made.agent,
      status: made.status,
      due_at: made.due_at,
      due_ms: made.due_ms,
      claim: ours && claim ? claim : null,
      resume: made.resume,
      wait: made.wait,
      pending: made.pending,
      needed: made.needed,
      fast: made.fast,
      width: made.width,
    })
    return undefined
  }

  #arrive(arrival: Arrival): void {
    const { task, parentId, run } = this.#held
    const change = this.#change
    change.gone = true
    change.parent = parentId
    change.ok = arrival.ok
    // The value of the last task's own output is not kept twice.
    const isOutput = arrival.ok && task !== null && arrival.value === this.#result.output
    const kept = isOutput ? { ok: true, ...(arrival.state ? { state: arrival.state } : {}) } : arrival
    if (task) {
      change.t_id ??= task.id
      change.t_status ??= task.status
      change.t_arrival = kept
      return
    }
    change.t_arrival = arrival
    // It had no task at all: one that stands for the branch or item carries the arrival.
    change.tasks.push({
      ...blankTask(run, this.#held),
      path: this.#held.path.replace(/\/$/, ''),
      node: this.#held.compound ?? '',
      kind: 'item',
      status: 'completed',
      arrival,
    })
  }

  #end(transition: Transition & { type: 'complete_run' | 'fail_run' | 'cancel_run' }): void {
    const { run, task } = this.#held
    const change = this.#change
    const subject = `run/${run.id}`
    change.gone = true
    change.r_over = true
    let output: Record<string, unknown> = {}
    let error: { code: string; message: string } | undefined
    let status: 'completed' | 'failed' | 'cancelled' = 'completed'
    if (transition.type === 'complete_run') {
      change.r_output = transition.output
      output = { ...transition.output.outputs }
      this.#emit({
        type: 'run.completed',
        subject,
        data: { ...this.#reference, fallback: transition.output.fallback },
      })
    } else if (transition.type === 'fail_run') {
      status = 'failed'
      error = transition.error
      this.#emit({ type: 'run.failed', subject, data: { ...this.#reference, error: transition.error } })
    } else {
      status = 'cancelled'
      error = { code: 'RUN_CANCELLED', message: transition.reason ?? 'Stopped on request.' }
      this.#emit({ type: 'run.cancelled', subject, data: this.#reference })
    }
    change.r_error = error ?? null
    change.r_state = visible({ ...this.#held.state, ...this.#patch })
    if (run.parentStrandId) {
      const resume = { type: 'child_run_ended', node: '', status, output, ...(error ? { error } : {}) }
      change.wakes.push({ strand: run.parentStrandId, resume })
      this.#madeReady = true
    }
    if (task) change.task = task.id
  }

  #moveRun(status: HeldStrand['runStatus']): void {
    const { runStatus, run } = this.#held
    if (status === runStatus && !isRunOver(status)) return
    this.#change.r_status = status
    if (status === 'waiting')
      this.#emit({ type: 'run.waiting', subject: `run/${run.id}`, data: this.#reference })
  }

  #toTask(transition: CreateTask, parent: string | null, position: number | null): TaskRow {
    const named = assigneeOf(transition)
    const agent = named && this.#options.names.agent(named)
    return {
      ...blankTask(this.#held.run, this.#held),
      path: transition.path,
      node: transition.node,
      kind: transition.kind,
      agent: agent?.name ?? named?.agent ?? (named?.capability ? `capability ${named.capability}` : null),
      agent_id: agent?.id ?? null,
      status: transition.status,
      input: { ...transition.input, ...particulars(transition) },
      timeout_ms: 'timeoutMs' in transition ? transition.timeoutMs : 0,
      parent,
      position,
    }
  }

  /** The strand as it is once this is written and its next task is this worker's. */
  #after(row: TaskRow): HeldStrand {
    const task: HeldTask = {
      id: row.id,
      nodeId: row.node,
      path: row.path,
      kind: row.kind,
      status: 'running',
      generation: row.generation,
      attempt: 1,
      input: row.input,
      timeoutMs: row.timeout_ms,
      agentId: row.agent_id,
      agentName: row.agent,
      createdMs: Date.now(),
    }
    const { state, runStatus, fence } = this.#held
    return {
      ...this.#held,
      fence: fence + 1n,
      runStatus: runStatus === 'queued' || runStatus === 'waiting' ? 'running' : runStatus,
      state: { ...state, ...this.#patch },
      task,
      resume: null,
      recoveries: 0,
    }
  }

  #emit(event: NewEvent): void {
    this.#change.events.push(eventRow(this.#held.run.organizationId, event))
  }

  #emitTask(type: 'task.ready' | 'task.started', row: TaskRow): void {
    this.#emit({ type, ...aboutTask(this.#reference, { ...row, agentId: row.agent_id }) })
  }
}

/** What a waiting task waits for, as its event says. */
function waitsFor(transition: CreateTask & { status: 'waiting' }): EventData<'task.waiting'>['waitsFor'] {
  if (transition.kind === 'review') return 'review'
  if (transition.kind === 'workflow') return 'workflow'
  if (transition.kind !== 'wait') return 'branches'
  if (transition.waitKey === undefined) return 'time'
  return transition.waitKey.startsWith('signal:') ? 'signal' : 'event'
}

const UNKNOWN = { code: 'UNKNOWN', message: 'The step failed.' }
const SETTLED = { completed: 'task.completed', skipped: 'task.skipped', cancelled: 'task.cancelled' } as const
const MOST_DEPTH = 10

function subrunRefusal(
  workflow: string,
  found: boolean,
  depth: number,
): { code: string; message: string } | undefined {
  if (!found) return { code: 'WORKFLOW_NOT_FOUND', message: `No workflow "${workflow}" is published.` }
  return depth >= MOST_DEPTH
    ? { code: 'TOO_DEEP', message: `Sub-workflows nest ${MOST_DEPTH} deep at most.` }
    : undefined
}

function assigneeOf(transition: CreateTask): Assignee | undefined {
  if (transition.kind === 'message') return { agent: transition.to }
  if (transition.kind !== 'agent') return undefined
  return transition.agent === undefined ? { capability: transition.capability } : { agent: transition.agent }
}

/** What a task's kind needs beside its input, kept with it under a `$` name. */
function particulars(transition: CreateTask): Record<string, unknown> {
  if (transition.kind === 'review') {
    const { role, question, deadlineMs } = transition
    return { $review: { role, question, ...(deadlineMs === undefined ? {} : { deadlineMs }) } }
  }
  if (transition.kind === 'message') return { $message: { to: transition.to, channel: transition.channel } }
  return {}
}

function blankTask(run: RunContext, { parentTaskId, position }: HeldStrand): TaskRow {
  return {
    o: run.organizationId,
    id: uuidv7(),
    run: run.id,
    path: '',
    node: '',
    kind: '',
    generation: 0,
    agent: null,
    agent_id: null,
    status: 'ready',
    attempt: 0,
    input: {},
    timeout_ms: 0,
    parent: parentTaskId,
    position,
    arrival: null,
    output: null,
  }
}

/** The strand a run begins on, ready without a task: who claims it begins the run. */
export function mainStrand(
  run: Pick<RunContext, 'organizationId' | 'id' | 'workflowId' | 'createdAt' | 'priority'>,
): StrandRow {
  return {
    o: run.organizationId,
    id: uuidv7(),
    run: run.id,
    workflow: run.workflowId,
    parent: null,
    parent_task: null,
    compound: null,
    key: null,
    position: null,
    path: '',
    state: {},
    task: null,
    agent: null,
    status: 'ready',
    due_at: placeOf(run),
    due_ms: null,
    claim: null,
    resume: null,
    wait: null,
    pending: 0,
    needed: 0,
    fast: false,
    width: null,
    limit_key: null,
    priority: run.priority,
  }
}

/** A change that leaves the strand at its task, for the planner to fill. */
export function unchanged(held: HeldStrand): StrandChange {
  return {
    o: held.run.organizationId,
    id: held.id,
    run: held.run.id,
    fence: String(held.fence),
    epoch: held.epoch,
    gone: false,
    keep: false,
    status: 'ready',
    due_at: null,
    due_ms: null,
    task: held.task?.id ?? null,
    agent: held.task?.agentId ?? null,
    patch: null,
    resume: null,
    wait: null,
    pending: 0,
    needed: 0,
    fast: false,
    width: null,
    recoveries: held.recoveries,
    t_id: null,
    t_status: null,
    t_output: null,
    t_error: null,
    t_cost: null,
    t_arrival: null,
    t_approval: null,
    t_input: null,
    t_over: false,
    r_status: null,
    r_output: null,
    r_error: null,
    r_state: null,
    r_over: false,
    parent: null,
    ok: false,
    tasks: [],
    strands: [],
    runs: [],
    events: [],
    wakes: [],
  }
}

const visible = (state: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('$')))

/** A run as events about it name it. */
export const referenceOf = (run: Pick<RunContext, 'id' | 'workflowId' | 'workflowName'>): RunReference => ({
  runId: run.id,
  workflowId: run.workflowId,
  workflowName: run.workflowName,
})

/** Subject and data of an event about a task. */
export function aboutTask(
  reference: RunReference,
  task: { id: string; path: string; agentId: string | null; attempt: number },
): { subject: string; data: EventData<'task.completed'> } {
  const { id, path, agentId, attempt } = task
  return { subject: `task/${id}`, data: { ...reference, taskId: id, stepPath: path, agentId, attempt } }
}
