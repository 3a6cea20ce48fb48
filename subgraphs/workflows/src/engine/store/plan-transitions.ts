import type { Actor, EventData, FailureKind, NewEvent, RecoveryAction } from '@tutti/schema'
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
import { failureKindOf } from '../../recovery/recover.ts'
import { limitKeyOf } from '../../limits/limit-key.ts'
import type { CancelledParent } from './children.ts'
import type { OwnRecovery } from '../worker/outcome.ts'
import { type AssignedAgent, type Names, whoAgain, type Work } from './engine-names.ts'
import type { HeldStrand, HeldTask, RunContext } from './held-strand.ts'
import { eventRow, type StrandChange, type StrandRow, type TaskRow } from './strand-change.ts'

/** What an attempt brought, beside what the core made of it. */
export interface AttemptResult {
  output?: unknown
  costUsd?: number
  /** What sort of failure it was, where the executor said so. */
  fault?: FailureKind
  /** What was done about a failure within the attempt. */
  recovery?: OwnRecovery
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
  /** Makes ids, and tells the time in epoch milliseconds: this process's own unless given. */
  newId?: () => string
  now?: () => number
}

/** One strand's change, and what this worker goes on with once it is written. */
export interface PlannedChange {
  change: StrandChange
  next: HeldStrand[]
  /** Whose branches, items or sub-runs are to be cancelled with it. */
  cancels: CancelledParent[]
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
  readonly #cancels: CancelledParent[] = []
  readonly #newId: () => string
  readonly #now: () => number
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
    this.#newId = options.newId ?? uuidv7
    this.#now = options.now ?? Date.now
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
    const { recovery } = this.#result
    if (recovery) this.#recovered(recovery, null)
    for (const transition of transitions) this.#apply(transition)
    // What is under way may complete until this is written: only then is it known what there is to undo.
    if (transitions.at(-1)?.type === 'compensate_run')
      this.#wakeNow({ type: 'compensation_listed', steps: [] })
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
      case 'await_plan':
        return this.#awaitPlan(transition)
      case 'start_strands':
        return this.#spread(transition)
      case 'cancel_children':
        if (this.#held.task) this.#cancels.push({ strand: this.#held.id, task: this.#held.task.id })
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
    const task = this.#toTask(transition)
    this.#created = task
    ;(change.tasks ??= []).push(task)
    change.task = task.id
    change.agent = task.agent_id
    change.recoveries = undefined
    if (transition.status === 'waiting') {
      this.#wait(transition, task)
      return
    }
    const delayMs = transition.kind === 'agent' ? (transition.delayMs ?? 0) : 0
    const paused = runStatus === 'paused'
    const { claim, passesClaim } = this.#options
    if (claim && delayMs === 0 && !paused && !passesClaim?.({ agentId: task.agent_id ?? null })) {
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
    const about = aboutTask(this.#reference, { id: task.id, path: task.path, agentId: null, attempt: 0 })
    const data = { ...about.data, approvalId: null, waitsFor: waitsFor(transition) }
    this.#emit({ type: 'task.waiting', subject: about.subject, data })
    if (transition.kind === 'wait') {
      change.wait = transition.waitKey
      change.due_ms = transition.wakeAfterMs
      change.due_at = transition.wakeAt
      // A mere time needs no word of what woke it: kept beside, since the claim cannot tell it from a limit.
      if (!transition.expires) change.resume = { type: 'wait_over', node: transition.node }
    }
    if (transition.kind === 'workflow') this.#startSubrun(transition, task)
  }

  #startSubrun(transition: CreateTask & { kind: 'workflow' }, task: TaskRow): void {
    const { run } = this.#held
    const { node, input, wait } = transition
    const target = this.#options.names.version(transition.workflow, transition.version)
    const refusal = subrunRefusal(transition.workflow, target !== undefined, run.depth)
    if (!target || refusal) {
      this.#wakeNow({ type: 'child_run_ended', node, status: 'failed', output: {}, error: refusal })
      return
    }
    const limitKey = limitKeyOf({ concurrency: target.concurrency ?? undefined }, input)
    const runId = this.#beginRun({ ...target, input, limitKey, task: task.id, wait })
    if (!wait) this.#wakeNow({ type: 'wait_over', node, payload: { runId } })
    else this.#change.due_ms = transition.wakeAfterMs
  }

  /** A child run, for a task of this strand; answers with its id. */
  #beginRun(child: {
    workflowId: string
    versionId: string
    input: Readonly<Record<string, unknown>>
    task: string
    /** Whether the strand waits for its end. */
    wait: boolean
    /** What its limits count it under, by key. */
    limitKey?: string | null
    /** True: a part of the run above, which begins whatever limits on runs say. */
    isPart?: boolean
  }): string {
    const { run, id: strand, runStatus } = this.#held
    const change = this.#change
    const id = this.#newId()
    // Nobody waits for a detached one: it goes on by itself, also beside a paused run.
    const paused = child.wait && runStatus === 'paused'
    ;(change.runs ??= []).push({
      id,
      workflow: child.workflowId,
      version: child.versionId,
      input: child.input,
      started_by: this.#options.actor,
      priority: run.priority,
      depth: run.depth + 1,
      parent_run: run.id,
      parent_task: child.task,
      ...(child.wait ? { parent_strand: strand } : {}),
      ...(paused ? { paused } : {}),
    })
    ;(change.strands ??= []).push({
      ...mainStrand({ ...run, workflowId: child.workflowId }, this.#newId()),
      run: id,
      ...(paused ? { status: 'held', due_at: undefined } : {}),
      ...(child.isPart ? { wait: 'slot:taken' } : {}),
      limit_key: child.limitKey ?? undefined,
    })
    this.#madeReady = true
    return id
  }

  /** The agent's plan is carried out as a child run; its task waits for the end. */
  #awaitPlan({ node, versionId, input }: Transition & { type: 'await_plan' }): void {
    const { run, task } = this.#held
    if (!task) return
    Object.assign(this.#change, { status: 'waiting', agent: undefined, recoveries: undefined })
    Object.assign(this.#change, { t_id: task.id, t_status: 'waiting' })
    const about = aboutTask(this.#reference, task)
    const data = { ...about.data, approvalId: null, waitsFor: 'workflow' as const }
    this.#emit({ type: 'task.waiting', subject: about.subject, data })
    const refusal = subrunRefusal(run.workflowName, true, run.depth)
    if (refusal)
      this.#wakeNow({ type: 'child_run_ended', node, status: 'failed', output: {}, error: refusal })
    else
      this.#beginRun({
        workflowId: run.workflowId,
        versionId,
        input,
        task: task.id,
        wait: true,
        isPart: true,
      })
  }

  /** The strand has what it waits for already: a worker takes it up at once. */
  #wakeNow(resume: unknown): void {
    Object.assign(this.#change, {
      status: 'ready',
      due_at: placeOf(this.#held.run),
      due_ms: undefined,
      resume,
    })
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
      t_output: result,
      t_error: error,
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
    const other = this.#reassign(error)
    // Who has not failed need not be spared.
    const waitMs = other ? 0 : delayMs
    const paused = runStatus === 'paused'
    Object.assign(change, { status: paused ? 'held' : 'ready', due_ms: paused ? undefined : waitMs })
    this.#madeReady = true
    const about = aboutTask(this.#reference, task)
    const readyAt = new Date(this.#now() + waitMs).toISOString()
    this.#emit({ type: 'task.retrying', subject: about.subject, data: { ...about.data, error, readyAt } })
  }

  /** Decides who makes the next attempt at a step by capability; the answer is the agent, if it is another. */
  #reassign(error: { code: string }): AssignedAgent | undefined {
    const { task } = this.#held
    const { names, definition } = this.#options
    const assignee = task && whoAgain(definition, { node: task.nodeId, path: task.path })
    if (!task || !assignee) return undefined
    const kind = failureKindOf({ code: error.code, fault: this.#result.fault })
    const again = names.again?.(assignee, this.#work(task.path), { ...task, kind })
    if (!again || (kind === 'refusal' && !again.agent)) return undefined
    const { action, agent } = again
    if (agent) Object.assign(this.#change, { agent: agent.id, t_agent: agent })
    this.#recovered({ kind, action, code: error.code }, agent?.name ?? task.agentName)
    return agent
  }

  /** What was done about a failure is told, and kept on the task. */
  #recovered(
    { kind, action, code }: { kind: FailureKind; action: RecoveryAction; code: string },
    to: string | null,
  ): void {
    const { task } = this.#held
    if (!task) return
    const step = { attempt: task.attempt, kind, action, code, from: task.agentName, to }
    const change = this.#change
    Object.assign(change, { t_id: task.id, t_recovery: [...(change.t_recovery ?? []), step] })
    change.t_status ??= task.status
    const { subject, data } = aboutTask(this.#reference, task)
    this.#emit({ type: 'task.recovery', subject, data: { ...data, kind, action, code, from: step.from, to } })
  }

  #work(path: string): Work {
    const { run, parentId, task } = this.#held
    return { runId: run.id, isChild: parentId !== null, path, after: task?.agentId ?? null }
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
    change.width = concurrency
    const enough = change.pending <= 0 || change.needed <= 0 || (failFast && arrived > good)
    if (enough) this.#wakeNow(undefined)
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
      ...mainStrand(run, this.#newId()),
      parent: id,
      parent_task: compound.id,
      compound: compound.node,
      key: strand.key,
      position,
      path: strand.path,
      state: strand.state,
      limit_key: this.#held.limitKey ?? undefined,
      generation: this.#held.generation,
    }
    const begun = strand.transitions
    if (!begun) {
      const isHeld = runStatus === 'paused' || (concurrency !== undefined && position >= concurrency)
      if (isHeld) Object.assign(row, { status: 'held', due_at: undefined })
      ;(this.#change.strands ??= []).push(row)
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
    const own = this.#change
    if (made.tasks) (own.tasks ??= []).push(...made.tasks)
    if (made.strands) (own.strands ??= []).push(...made.strands)
    if (made.runs) (own.runs ??= []).push(...made.runs)
    own.events.push(...made.events)
    this.#madeReady ||= planned.madeReady
    if (made.gone) return made.t_arrival as Arrival
    this.#slots -= planned.next.length
    const ours = planned.next.length > 0
    this.#next.push(...planned.next)
    ;(own.strands ??= []).push({
      ...row,
      state: { ...row.state, ...made.patch },
      status: made.status,
      task: made.task,
      agent: made.agent,
      due_at: made.due_at,
      due_ms: made.due_ms,
      claim: ours ? claim : undefined,
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
    const { task, parentId } = this.#held
    const change = this.#change
    change.gone = true
    change.parent = parentId ?? undefined
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
    ;(change.tasks ??= []).push({
      ...blankTask(this.#held, this.#newId()),
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
      const reason = transition.reason ?? null
      this.#emit({ type: 'run.cancelled', subject, data: { ...this.#reference, reason } })
    }
    change.r_error = error
    // A failed run may be taken up again where it was: by then the engine's own names are wanted too.
    const state = { ...this.#held.state, ...this.#patch }
    change.r_state = status === 'failed' ? state : visible(state)
    if (run.parentStrandId) {
      const resume = { type: 'child_run_ended', node: '', status, output, ...(error ? { error } : {}) }
      change.wakes = [{ strand: run.parentStrandId, resume }]
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

  #toTask(transition: CreateTask): TaskRow {
    const named = assigneeOf(transition)
    const agent = named && this.#options.names.agent(named, this.#work(transition.path))
    return {
      ...blankTask(this.#held, this.#newId()),
      path: transition.path,
      node: transition.node,
      kind: transition.kind,
      agent:
        agent?.name ?? named?.agent ?? (named?.capability ? `capability ${named.capability}` : undefined),
      agent_id: agent?.id,
      status: transition.status,
      input: { ...transition.input, ...particulars(transition) },
      timeout_ms: 'timeoutMs' in transition ? transition.timeoutMs : undefined,
      ...(agent && 'assignment' in agent ? { assignment: agent.assignment } : {}),
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
      generation: row.generation ?? 0,
      attempt: 1,
      input: row.input,
      timeoutMs: row.timeout_ms ?? 0,
      agentId: row.agent_id ?? null,
      agentName: row.agent ?? null,
      createdMs: this.#now(),
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
    this.#change.events.push(eventRow(event))
  }

  #emitTask(type: 'task.ready' | 'task.started', row: TaskRow): void {
    const { id, path, agent_id: agentId = null, attempt = 0 } = row
    this.#emit({ type, ...aboutTask(this.#reference, { id, path, agentId, attempt }) })
  }
}

/** What a waiting task waits for, as its event says. */
function waitsFor(transition: CreateTask & { status: 'waiting' }): EventData<'task.waiting'>['waitsFor'] {
  if (transition.kind === 'review') return 'review'
  if (transition.kind === 'workflow') return 'workflow'
  if (transition.kind !== 'wait') return 'branches'
  if (transition.waitKey === undefined) return 'time'
  if (transition.waitKey.startsWith('board:')) return 'board'
  return transition.waitKey.startsWith('signal:') ? 'signal' : 'event'
}

const UNKNOWN = { code: 'UNKNOWN', message: 'The step failed.' }
const SETTLED = { completed: 'task.completed', skipped: 'task.skipped', cancelled: 'task.cancelled' } as const
const MOST_DEPTH = 10

/** Why a sub-run does not begin, if so; `depth` is that of the run that wants it. */
export function subrunRefusal(
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
    const { role, question, deadlineMs, argumentsSchema } = transition
    return {
      $review: {
        role,
        question,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
        ...(argumentsSchema === undefined ? {} : { argumentsSchema }),
      },
    }
  }
  if (transition.kind === 'message') return { $message: { to: transition.to, channel: transition.channel } }
  return {}
}

function blankTask({ parentTaskId, position, generation }: HeldStrand, id: string): TaskRow {
  return {
    id,
    path: '',
    node: '',
    kind: '',
    status: 'ready',
    input: {},
    generation: generation || undefined,
    parent: parentTaskId ?? undefined,
    position: position ?? undefined,
  }
}

/** The strand a run begins on, ready without a task: who claims it begins the run. */
export function mainStrand(
  run: Pick<RunContext, 'workflowId' | 'createdAt' | 'priority'>,
  id: string = uuidv7(),
): StrandRow {
  return {
    id,
    workflow: run.workflowId,
    status: 'ready',
    due_at: placeOf(run),
    priority: run.priority || undefined,
  }
}

/** A change that leaves the strand at its task, for the planner to fill. */
export function unchanged({ id, fence, epoch, run, task, recoveries }: HeldStrand): StrandChange {
  return {
    o: run.organizationId,
    id,
    run: run.id,
    fence: String(fence),
    epoch,
    status: 'ready',
    task: task?.id,
    agent: task?.agentId ?? undefined,
    recoveries: recoveries || undefined,
    events: [],
  }
}

/**
 * A task's beginning and its end as one change: for a task that was begun under the lease and is over before its
 * beginning was written. The row is inserted as it ends; both events are told.
 */
export function mergeChanges(begun: StrandChange, ended: StrandChange): StrandChange {
  const [task, ...others] = begun.tasks ?? []
  if (!task || task.id !== ended.t_id) throw new Error('The end is of another task than the beginning.')
  const { t_status, t_output, t_error, t_arrival, t_approval, t_agent, t_version, t_recovery, ...rest } =
    ended
  const row: TaskRow = {
    ...task,
    status: t_status ?? task.status,
    output: t_output,
    error: t_error,
    arrival: t_arrival,
    approval: t_approval,
    cost: rest.t_cost,
    ...(t_agent
      ? { agent: t_agent.name, agent_id: t_agent.id, assignment: t_agent.assignment }
      : { agent_version: t_version }),
    ...(t_recovery ? { recovery: t_recovery } : {}),
  }
  return {
    ...rest,
    t_id: undefined,
    t_over: undefined,
    fence: begun.fence,
    epoch: begun.epoch,
    patch: begun.patch || ended.patch ? { ...begun.patch, ...ended.patch } : undefined,
    tasks: [row, ...others, ...(ended.tasks ?? [])],
    events: [...begun.events, ...ended.events],
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
