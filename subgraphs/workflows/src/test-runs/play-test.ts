import type { WorkflowDefinition } from '../definitions/index.ts'
import { acceptsEvent, isRunOver, isTaskOver } from '../engine/core/index.ts'
import type { CoreEvent, CreateTask, Transition } from '../engine/core/index.ts'
import { RunInMemory } from '../engine/core/run-in-memory.ts'
import type { MemoryStrand, MemoryTask } from '../engine/core/run-in-memory.ts'
import { subrunRefusal } from '../engine/store/plan-transitions.ts'
import { refusalOf } from '../plans/plan-problem.ts'
import { isPlan, planBoundsOf, readPlan } from '../plans/read-plan.ts'
import { Budget, LimitReached, TEST_LIMITS } from './budget.ts'
import type { TestLimits } from './budget.ts'
import type { Subworkflows } from './find-subworkflows.ts'
import { Inbox } from './inbox.ts'
import { Mocks, namesStep, nthOf, StepCounts } from './mocks.ts'
import type { AskedStep, MockedOutcome } from './mocks.ts'
import { Places } from './places.ts'
import { RunTimer } from './run-timer.ts'
import type { TestMessage, TestProblem, TestProblemCode, TestResult, TestWait } from './test-result.ts'
import type { TestPlan } from './test-settings.ts'
import { Trace } from './trace.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A run of the test: the one under test, or a sub-workflow's. */
type Played = {
  readonly run: RunInMemory
  readonly definition: WorkflowDefinition
  /** Path of the step that called it and `>`; '' for the run under test. */
  readonly prefix: string
  readonly depth: number
  /** The step that waits for its end. */
  readonly parent?: { readonly of: Played; readonly strand: MemoryStrand; readonly task: MemoryTask }
  /** The runs that its steps wait for. */
  readonly children: Map<MemoryTask, Played>
  /** When its tasks were created. */
  readonly created: Map<MemoryTask, number>
  /** Its own time, if that has a limit. */
  timer?: RunTimer
  /** The result of the task that was settled last. */
  lastOutput?: unknown
  endedAt?: number
}

/** Where something happens: a step of a run. */
type Place = { readonly of: Played; readonly strand: MemoryStrand; readonly task: MemoryTask }

type Created<Kind extends CreateTask['kind']> = CreateTask & { readonly kind: Kind }

/**
 * Plays a run on a virtual clock, with mocks in place of agents, until it is over or nothing more can happen. Equal
 * arguments give equal results. Nothing is written anywhere, and the process's other work has its turns.
 */
export async function playTest(
  definition: WorkflowDefinition,
  plan: TestPlan,
  {
    subworkflows,
    limits,
    runTimeoutMs,
  }: {
    subworkflows: Subworkflows
    limits?: Partial<TestLimits> | undefined
    /** Limit of the run's own time, where its definition has none. */
    runTimeoutMs?: number | undefined
  },
): Promise<TestResult> {
  const timeoutMs = definition.timeoutMs ?? runTimeoutMs
  const timed = timeoutMs === undefined ? definition : { ...definition, timeoutMs }
  return new PlayedTest(timed, plan, subworkflows, { ...TEST_LIMITS, ...limits }).play()
}

class PlayedTest {
  readonly #plan: TestPlan
  readonly #subworkflows: Subworkflows
  readonly #clock: VirtualClock
  readonly #budget: Budget
  readonly #trace: Trace
  readonly #inbox: Inbox
  readonly #mocks: Mocks
  readonly #reviews = new StepCounts()
  readonly #places = new Places()
  readonly #played: Played[] = []
  /** What agents planned, until it begins. */
  readonly #plans = new Map<MemoryTask, WorkflowDefinition>()
  readonly #messages: TestMessage[] = []
  readonly #problems = new Map<string, TestProblem>()
  readonly #main: Played
  #runs = 0

  constructor(
    definition: WorkflowDefinition,
    plan: TestPlan,
    subworkflows: Subworkflows,
    limits: TestLimits,
  ) {
    this.#plan = plan
    this.#subworkflows = subworkflows
    this.#clock = new VirtualClock(plan.startAt)
    this.#budget = new Budget(limits)
    this.#trace = new Trace(this.#clock, this.#budget)
    this.#inbox = new Inbox(this.#clock, plan)
    this.#mocks = new Mocks(plan.mocks, plan.echo)
    this.#main = this.#startRun(definition, plan.input, { prefix: '', depth: 0 })
  }

  async play(): Promise<TestResult> {
    try {
      for (let act = this.#clock.next(); act; act = this.#clock.next()) {
        act()
        await this.#budget.rest()
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error
      this.#complain(error.code, error.message)
    }
    for (const name of this.#places.full)
      this.#complain(
        'NO_PLACE',
        `A run of "${name}" waits for a place under its limit, and none becomes free.`,
      )
    return this.#result()
  }

  #result(): TestResult {
    const { run, endedAt = this.#clock.now } = this.#main
    const { startedMs, entries } = this.#trace
    return {
      status: run.status,
      output: run.output ?? null,
      error: run.error ?? null,
      startedAt: new Date(startedMs).toISOString(),
      endedAt: new Date(endedAt).toISOString(),
      durationMs: endedAt - startedMs,
      trace: entries,
      waitsFor: this.#played.flatMap((of) => waitsOf(of)),
      messages: this.#messages,
      problems: [...this.#problems.values()],
      limitsLeftOut: [],
    }
  }

  #startRun(
    definition: WorkflowDefinition,
    input: Readonly<Record<string, unknown>>,
    where: Pick<Played, 'prefix' | 'depth' | 'parent'>,
  ): Played {
    const run = new RunInMemory(definition, input, {
      seed: `${where.prefix}test`,
      observer: {
        applied: (strand, transition) => this.#applied(of, strand, transition),
        released: (strand) => this.#clock.soon(() => this.#begin(of, strand)),
        cancelled: (strand) => this.#cancelled(of, strand),
      },
    })
    const of: Played = { run, definition, ...where, children: new Map(), created: new Map() }
    const { timeoutMs } = definition
    if (timeoutMs !== undefined) of.timer = new RunTimer(this.#clock, timeoutMs, () => this.#timeOut(of))
    this.#played.push(of)
    const begin = (): void => {
      const main = run.strands.get('')
      if (!main) return
      this.#note(of, '', { event: 'run_started', input })
      run.tell(main, { type: 'run_started' })
    }
    const isOver = (): boolean => isRunOver(run.status)
    this.#places.enter({ definition, input, isOver, begin: () => this.#clock.soon(begin) })
    return of
  }

  /** The run's own time is over: it fails, without its fallback and without compensation. */
  #timeOut(of: Played): void {
    const main = of.run.strands.get('')
    if (!main) return
    const node = main.task?.created.node ?? ''
    const path = main.task?.created.path ?? ''
    const message = `The run took longer than ${of.definition.timeoutMs} ms, waits not counted.`
    const error = { code: 'RUN_TIMED_OUT', message }
    const isOpen = main.task && !isTaskOver(main.task.status)
    of.run.write(main, [
      ...(isOpen ? [{ type: 'settle_task', node, path, status: 'cancelled', error } as const] : []),
      { type: 'cancel_children', node, path },
      { type: 'fail_run', error: { node, ...error } },
    ])
  }

  #begin({ run }: Played, strand: MemoryStrand): void {
    if (run.strands.get(strand.path) === strand && !strand.hasBegun)
      run.tell(strand, { type: 'strand_started' })
  }

  /** What a transition leads to is done once all of them are written. */
  #applied(of: Played, strand: MemoryStrand, transition: Transition): void {
    this.#budget.takeTransitions(transition.type === 'start_strands' ? transition.strands.length : 1)
    if (!strand.parent && of.timer) this.#clock.soon(() => of.timer?.note(of.run.status))
    switch (transition.type) {
      case 'create_task':
        return this.#created(of, strand, transition)
      case 'settle_task':
        return this.#settled(of, strand, transition)
      case 'retry_task':
        return this.#retried(of, strand, transition)
      case 'await_plan':
        return this.#awaitPlan(of, strand, transition)
      case 'start_strands':
        return this.#wakeJoin(of, strand)
      case 'arrive':
        if (strand.parent) this.#wakeJoin(of, strand.parent)
        return
      case 'cancel_children':
        return this.#cancelSubrun(of, strand.task)
      case 'record_choice': {
        const { path, to, error } = transition
        return this.#note(of, path, { event: 'choice_made', ...(error ? { error } : {}), details: { to } })
      }
      case 'write_state': {
        const { name, value } = transition
        if (name.startsWith('$') || value === of.lastOutput) return
        return this.#note(of, strand.path, { event: 'state_written', output: value, details: { name } })
      }
      case 'compensate_run':
        return this.#clock.soon(() => {
          const steps = of.run.undoable()
          of.run.undoAfter = undefined
          of.run.tell(strand, { type: 'compensation_listed', steps })
        })
      case 'complete_run':
        this.#note(of, '', { event: 'run_completed', output: transition.output })
        return this.#ended(of, { status: 'completed', output: transition.output.outputs })
      case 'fail_run':
        this.#note(of, '', { event: 'run_failed', error: transition.error })
        return this.#ended(of, { status: 'failed', output: {}, error: transition.error })
      case 'cancel_run':
        this.#note(of, '', { event: 'run_cancelled' })
        return this.#ended(of, { status: 'cancelled', output: {} })
    }
  }

  #created(of: Played, strand: MemoryStrand, created: CreateTask): void {
    const { task } = strand
    if (!task) return
    const place = { of, strand, task }
    of.created.set(task, this.#clock.now)
    if (created.path.endsWith('~pause'))
      return this.#later(0, place, { type: 'wait_over', node: created.node })
    if (created.kind === 'agent') return this.#attempt(place, created.delayMs ?? 0)
    if (created.kind === 'message') return this.#attempt(place, 0)
    const { path, input } = created
    this.#note(of, path, { event: 'task_waiting', input, details: this.#waitsFor(created) })
    if (created.kind === 'review') this.#review(place, created)
    else if (created.kind === 'wait') this.#wait(place, created)
    else if (created.kind === 'workflow') this.#clock.soon(() => this.#call(place, created))
  }

  #waitsFor(created: CreateTask & { readonly status: 'waiting' }): Record<string, unknown> {
    if (created.kind === 'review') {
      const { role, question, deadlineMs } = created
      return { waitsFor: 'review', name: role, question, ...this.#until(deadlineMs) }
    }
    if (created.kind === 'workflow')
      return { waitsFor: 'workflow', name: created.workflow, ...this.#until(created.wakeAfterMs) }
    if (created.kind !== 'wait') return { waitsFor: 'branches' }
    const { waitKey, wakeAfterMs, wakeAt } = created
    const until = wakeAt === undefined ? this.#until(wakeAfterMs) : { until: wakeAt }
    if (waitKey === undefined) return { waitsFor: 'time', ...until }
    return { ...nameOf(waitKey), ...until }
  }

  #until(afterMs: number | undefined): { readonly until?: string } {
    const until = new Date(this.#clock.now + (afterMs ?? Number.NaN))
    return Number.isNaN(until.getTime()) ? {} : { until: until.toISOString() }
  }

  /** An attempt begins, as soon as a worker could claim it. */
  #attempt(place: Place, delayMs: number): void {
    const { of, task } = place
    const { attempt } = task
    this.#after(delayMs, place, () => {
      const { created } = task
      const agent = 'agent' in created ? { agent: created.agent } : {}
      const who = 'capability' in created ? { capability: created.capability } : agent
      task.status = 'running'
      this.#note(of, created.path, { event: 'task_started', attempt, input: created.input, details: who })
      const answered = this.#answer(place)
      if (answered) return this.#answered(place, answered)
      if (created.kind === 'message') return this.#send(place, created)
      this.#missMock(place)
    })
  }

  #answered(place: Place, { latencyMs, outcome }: MockedOutcome): void {
    const { created, attempt } = place.task
    const { node } = created
    const timeoutMs = 'timeoutMs' in created ? created.timeoutMs : Number.POSITIVE_INFINITY
    if (latencyMs >= timeoutMs)
      return this.#later(timeoutMs, place, { type: 'task_timed_out', node, attempt })
    if (outcome.type === 'succeeded')
      return this.#later(
        latencyMs,
        place,
        this.#planned(place, outcome.output) ?? {
          type: 'task_succeeded',
          node,
          attempt,
          output: outcome.output,
        },
      )
    this.#later(latencyMs, place, { type: 'task_failed', node, attempt, error: outcome.error })
  }

  /** A result that is a plan, of a step that may plan. Whether its agents exist is not for a test to know. */
  #planned({ of: { definition }, task }: Place, output: unknown): CoreEvent | undefined {
    const { created, attempt } = task
    const { node, path, input } = created
    const bounds = planBoundsOf(definition, node, path)
    if (!bounds || !isPlan(output)) return undefined
    const reading = readPlan(output, { bounds, input, definition })
    if (!reading.ok) return { type: 'task_failed', node, attempt, error: refusalOf(reading.problems) }
    this.#plans.set(task, reading.definition)
    return { type: 'task_planned', node, attempt, versionId: '', input: reading.input }
  }

  /** A plan is carried out by a run of its own. */
  #awaitPlan(
    of: Played,
    strand: MemoryStrand,
    { node, path, input }: Transition & { readonly type: 'await_plan' },
  ): void {
    const { task } = strand
    const definition = task && this.#plans.get(task)
    if (!task || !definition) return
    this.#plans.delete(task)
    const place = { of, strand, task }
    this.#note(of, path, {
      event: 'task_waiting',
      input,
      details: { waitsFor: 'workflow', name: definition.name },
    })
    this.#clock.soon(() => {
      if (!isAt(place, task.attempt)) return
      const error = subrunRefusal(definition.name, true, of.depth)
      if (error)
        return this.#tell(place, { type: 'child_run_ended', node, status: 'failed', output: {}, error })
      const where = { prefix: `${of.prefix}${path}>`, depth: of.depth + 1, parent: place }
      of.children.set(task, this.#startRun(definition, input, where))
    })
  }

  #send(place: Place, { path, to, channel, input, node }: Created<'message'>): void {
    const at = new Date(this.#clock.now).toISOString()
    const body = input['body']
    this.#messages.push({ at, path: place.of.prefix + path, to, channel, body })
    this.#note(place.of, path, { event: 'message_sent', input: body, details: { to, channel } })
    const output = { message_id: `message-${this.#messages.length}`, sent_at: at }
    this.#later(0, place, { type: 'task_succeeded', node, attempt: place.task.attempt, output })
  }

  #review(place: Place, created: Created<'review'>): void {
    const { node, deadlineMs } = created
    const asked = askedOf(place)
    const about = this.#plan.decisions.filter(({ step }) => namesStep(step, asked))
    const decision = nthOf(about, this.#reviews.next(asked, 'review'))
    if (decision && decision.outcome !== 'expire') {
      const { outcome, by, comment, after } = decision
      this.#later(after ?? 0, place, {
        type: 'review_decided',
        node,
        outcome,
        ...(by == null ? {} : { by }),
        ...(comment == null ? {} : { comment }),
        ...(outcome === 'approve' ? { arguments: created.input } : {}),
      })
    }
    if (deadlineMs !== undefined) this.#later(deadlineMs, place, { type: 'review_expired', node })
  }

  #wait(place: Place, { node, waitKey, wakeAfterMs, wakeAt, expires, input }: Created<'wait'>): void {
    const end = { type: expires ? 'wait_expired' : 'wait_over', node } as const
    if (wakeAt !== undefined) this.#later(Date.parse(wakeAt) - this.#clock.now, place, end)
    else if (wakeAfterMs !== undefined) this.#later(wakeAfterMs, place, end)
    if (waitKey === undefined) return
    this.#inbox.wait({
      // What a peer would do, a signal of the capability's name does.
      key: waitKey.replace(/^board:/, 'signal:'),
      isStill: () => isAt(place, 1),
      accepts: (event) => acceptsEvent(place.of.definition, node, input, event),
      take: (payload) => this.#tell(place, { type: 'wait_over', node, payload }),
    })
  }

  /** A sub-workflow: what a mock says of it, else its run. */
  #call(place: Place, created: Created<'workflow'>): void {
    const { of, strand, task } = place
    if (!isAt(place, 1)) return
    const { node, workflow, version, wait, wakeAfterMs, path } = created
    if (wakeAfterMs !== undefined) this.#later(wakeAfterMs, place, { type: 'wait_expired', node })
    const answered = this.#answer(place)
    if (answered) return this.#later(answered.latencyMs, place, endOfCall(created, answered))
    const definition = this.#subworkflows(workflow, version)
    const error = subrunRefusal(workflow, definition !== undefined, of.depth)
    if (!definition || error) {
      const failed = { type: 'child_run_ended', node, status: 'failed', output: {} } as const
      return this.#tell(place, { ...failed, ...(error ? { error } : {}) })
    }
    const prefix = `${of.prefix}${path}>`
    const parent = wait ? { parent: { of, strand, task } } : {}
    this.#runs += 1
    const child = this.#startRun(definition, created.input, { prefix, depth: of.depth + 1, ...parent })
    if (wait) of.children.set(task, child)
    else this.#tell(place, { type: 'wait_over', node, payload: { runId: `run-${this.#runs}` } })
  }

  #answer(place: Place): MockedOutcome | undefined {
    const asked = askedOf(place)
    const answered = this.#mocks.answer(asked)
    if (answered?.problem !== undefined)
      this.#complain('MOCK_FAILED', answered.problem, asked.prefix + asked.path)
    return answered
  }

  #missMock({ of, task: { created } }: Place): void {
    const path = of.prefix + created.path
    const who =
      'capability' in created && created.capability !== undefined
        ? `the capability "${created.capability}"`
        : `the agent "${'agent' in created ? created.agent : ''}"`
    const message = `The step "${created.node}" of "${of.definition.name}" has no mock: give one for it or ${who}, or echo.`
    this.#complain('MOCK_MISSING', message, path)
  }

  #settled(
    of: Played,
    { task }: MemoryStrand,
    transition: Transition & { readonly type: 'settle_task' },
  ): void {
    const { path, status, error } = transition
    of.lastOutput = task?.output
    const output = status === 'completed' ? { output: task?.output ?? null } : {}
    this.#note(of, path, { event: `task_${status}`, ...output, ...(error ? { error } : {}) })
  }

  #retried(
    of: Played,
    strand: MemoryStrand,
    { path, attempt, delayMs, error }: Transition & { readonly type: 'retry_task' },
  ): void {
    this.#note(of, path, { event: 'task_retrying', attempt, error, details: { delayMs } })
    const { task } = strand
    if (task) this.#attempt({ of, strand, task }, delayMs)
  }

  #wakeJoin(of: Played, strand: MemoryStrand): void {
    const { task } = strand
    if (!task || !of.run.isDue(strand)) return
    this.#clock.soon(() => {
      if (!isAt({ of, strand, task }, 1)) return
      of.run.tell(strand, { type: 'children_done', node: task.created.node, arrivals: strand.arrivals })
    })
  }

  #ended(
    of: Played,
    end: Pick<CoreEvent & { readonly type: 'child_run_ended' }, 'status' | 'output' | 'error'>,
  ): void {
    of.endedAt = this.#clock.now
    this.#clock.soon(() => this.#places.release())
    const { parent } = of
    if (!parent) return
    this.#clock.soon(() => {
      if (isAt(parent, parent.task.attempt))
        this.#tell(parent, { type: 'child_run_ended', node: parent.task.created.node, ...end })
    })
  }

  #cancelled(of: Played, { task }: MemoryStrand): void {
    if (!task) return
    const { path } = task.created
    if (task.status === 'cancelled') this.#note(of, path, { event: 'task_cancelled' })
    this.#cancelSubrun(of, task)
  }

  #cancelSubrun(of: Played, task: MemoryTask | undefined): void {
    const child = task && of.children.get(task)
    if (child) this.#clock.soon(() => this.#cancelRun(child))
  }

  #cancelRun(of: Played): void {
    const main = of.run.strands.get('')
    if (!main || isRunOver(of.run.status)) return
    of.run.tell(main, { type: 'run_cancelled', reason: 'The step that waited for it ended.' })
    for (const child of of.children.values()) this.#cancelRun(child)
  }

  #later(delayMs: number, place: Place, event: CoreEvent): void {
    this.#after(delayMs, place, () => this.#tell(place, event))
  }

  /** Does it then, if the task is at the same attempt still. */
  #after(delayMs: number, place: Place, act: () => void): void {
    const { attempt, created } = place.task
    const isDate = this.#clock.at(this.#clock.now + delayMs, () => isAt(place, attempt), act)
    if (!isDate)
      this.#complain('TIME_OUT_OF_RANGE', 'What it waits for is no date.', place.of.prefix + created.path)
  }

  #tell({ of, strand, task }: Place, event: CoreEvent): void {
    if ('output' in event && event.type === 'task_succeeded') task.output = event.output
    of.run.tell(strand, event, this.#clock.now - (of.created.get(task) ?? this.#clock.now))
  }

  #note(of: Played, path: string, entry: Omit<Parameters<Trace['add']>[0], 'path' | 'workflow'>): void {
    const whole = path === '' ? of.prefix.slice(0, -1) : of.prefix + path
    this.#trace.add({ path: whole, workflow: of.definition.name, ...entry })
  }

  /** One of a kind for each step, not for each of its items. */
  #complain(code: TestProblemCode, message: string, path?: string): void {
    const key = JSON.stringify([code, message])
    if (!this.#problems.has(key))
      this.#problems.set(key, { code, message, ...(path === undefined ? {} : { path }) })
  }
}

/** Whether a strand is at this task and attempt still. */
function isAt({ of: { run }, strand, task }: Place, attempt: number): boolean {
  const isLive = run.strands.get(strand.path) === strand && strand.task === task
  return isLive && task.attempt === attempt && !isTaskOver(task.status)
}

function askedOf({ of: { prefix }, strand, task: { created, attempt } }: Place): AskedStep {
  return { created, attempt, path: created.path, prefix, strand: strand.path }
}

function nameOf(waitKey: string): { readonly waitsFor: 'signal' | 'event'; readonly name: string } {
  const waitsFor = waitKey.startsWith('event:') ? 'event' : 'signal'
  return { waitsFor, name: waitKey.slice(waitKey.indexOf(':') + 1) }
}

/** What a mock's answer means to the step that called a sub-workflow. */
function endOfCall({ node, wait }: Created<'workflow'>, { outcome }: MockedOutcome): CoreEvent {
  if (outcome.type === 'failed') {
    const { code, message } = outcome.error
    const failed = { type: 'child_run_ended', node, status: 'failed', output: {} } as const
    return { ...failed, error: { code, message } }
  }
  const { output } = outcome
  if (!wait) return { type: 'wait_over', node, payload: output }
  const outputs = typeof output === 'object' && output !== null ? { ...output } : {}
  return { type: 'child_run_ended', node, status: 'completed', output: outputs }
}

/** The steps of a run that wait for something outside of the test. */
function waitsOf({ run, definition, prefix }: Played): TestWait[] {
  return [...run.strands.values()].flatMap(({ task }): TestWait[] => {
    if (!task || isTaskOver(task.status)) return []
    const { created } = task
    const about = { path: prefix + created.path, workflow: definition.name }
    // Its plan is under way: what that waits for says the plan's run.
    if (created.kind === 'agent' && task.status === 'waiting') return []
    if (created.kind === 'agent')
      return [{ ...about, kind: 'mock', name: created.agent ?? created.capability ?? '' }]
    if (created.kind === 'review') return [{ ...about, kind: 'review', name: created.role }]
    if (created.kind !== 'wait' || created.waitKey === undefined) return []
    const { waitsFor, name } = nameOf(created.waitKey)
    return [{ ...about, kind: waitsFor, name }]
  })
}
