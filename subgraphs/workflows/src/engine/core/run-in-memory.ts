import type { NodeId, WorkflowDefinition } from '../../definitions/index.ts'
import { advance, canTaskBecome, isRunOver, isTaskOver, runStatusAfter } from './index.ts'
import type {
  Arrival,
  CoreEvent,
  CreateTask,
  NewStrand,
  RunOutput,
  RunStatus,
  RunView,
  StepError,
  TaskStatus,
  Transition,
  UndoableStep,
} from './index.ts'
import { canRunBecome } from './run-status.ts'
import type { FallbackReason } from './transition.ts'

/** A step of a run in memory. */
export type MemoryTask = {
  readonly created: CreateTask
  readonly strand: string
  status: TaskStatus
  attempt: number
  completions: number
  output?: unknown
  error?: StepError
  /** When it was settled, counted in settlements of the run. */
  ended?: number
}

/** A line of control of a run in memory; `null` in `arrivals` is a child that has not arrived. */
export type MemoryStrand = {
  readonly path: string
  readonly compound?: NodeId
  readonly key?: string
  readonly position: number
  readonly parent?: MemoryStrand
  /** Those of its branches or items that are not over, in order. */
  readonly children: Set<MemoryStrand>
  state: Record<string, unknown>
  task?: MemoryTask
  hasBegun: boolean
  isHeld: boolean
  arrivals: (Arrival | null)[]
  /** What wakes it, and what of that is there. */
  needed: number
  failFast: boolean
  arrived: number
  good: number
  /** Its children that wait for room, the next one last. */
  held: MemoryStrand[]
}

/** Who is told of what becomes of a run in memory, while it is written: nothing may be told the run meanwhile. */
export type RunObserver = {
  /** A transition of this strand was written; of those that begin children after their children's. */
  readonly applied?: (strand: MemoryStrand, transition: Transition) => void
  /** A branch or item may begin: there is room for it, and no transition of it is written. */
  readonly released?: (strand: MemoryStrand) => void
  /** A branch or item has ended with what is around it, and its open task with it. */
  readonly cancelled?: (strand: MemoryStrand) => void
}

/** What a run in memory may be given besides its input. */
export type RunInMemoryOptions = { readonly seed?: string; readonly observer?: RunObserver }

/**
 * One run as a store keeps it, in memory: for runs on a virtual clock, and for the tests of the core. Everything is
 * applied as a store would, and a transition that a store could not apply, or that breaks a rule of the engine, is an
 * exception.
 */
export class RunInMemory {
  readonly tasks = new Map<string, MemoryTask>()
  /** The strands that are not over, by path. */
  readonly strands = new Map<string, MemoryStrand>()
  readonly transitions: Transition[] = []
  status: RunStatus = 'queued'
  output: RunOutput | undefined
  error: FallbackReason | undefined
  /** The path after which the next listing of what can be undone begins; undefined: none is wanted. */
  undoAfter: string | null | undefined
  readonly #definition: WorkflowDefinition
  readonly #input: Readonly<Record<string, unknown>>
  readonly #seed: string
  readonly #observer: RunObserver
  #settlements = 0

  constructor(
    definition: WorkflowDefinition,
    input: Readonly<Record<string, unknown>>,
    { seed = 'run', observer = {} }: RunInMemoryOptions = {},
  ) {
    this.#definition = definition
    this.#input = input
    this.#seed = seed
    this.#observer = observer
    this.strands.set('', newStrand({ path: '', position: 0, state: {} }))
  }

  /** Shows the core an event on a strand; what it answers is not written yet. */
  ask(strand: MemoryStrand, event: CoreEvent, elapsedMs?: number): Transition[] {
    return advance(this.#definition, this.#viewOf(strand, elapsedMs), event)
  }

  /** Shows the core an event, and writes what it answers. */
  tell(strand: MemoryStrand, event: CoreEvent, elapsedMs?: number): Transition[] {
    const transitions = this.ask(strand, event, elapsedMs)
    this.write(strand, transitions)
    return transitions
  }

  write(strand: MemoryStrand, transitions: readonly Transition[]): void {
    if (transitions.length > 0) strand.hasBegun = true
    for (const transition of transitions) {
      this.#apply(strand, transition)
      this.#observer.applied?.(strand, transition)
    }
    if (strand.parent) return
    const next = runStatusAfter(this.status, transitions)
    if (next === this.status) return
    if (!canRunBecome(this.status, next)) throw new Error(`The run: ${this.status} cannot become ${next}`)
    this.status = next
    if (isRunOver(next)) this.#end(next)
  }

  /** What completed and can be undone, newest first, after `undoAfter`. */
  undoable(): UndoableStep[] {
    const last = this.undoAfter ? (this.tasks.get(this.undoAfter)?.ended ?? 0) : Number.POSITIVE_INFINITY
    return [...this.tasks.values()]
      .filter(({ created, status, ended = 0 }) => {
        const node = this.#definition.nodes[created.node]
        const canBeUndone = node?.kind === 'task' && node.compensate !== undefined
        return canBeUndone && status === 'completed' && ended < last && !created.path.endsWith('~undo')
      })
      .toSorted((a, b) => (b.ended ?? 0) - (a.ended ?? 0))
      .map(({ created: { node, path, input }, output }) => ({ node, path, input, output }))
  }

  #viewOf({ path, compound, key, state, task, parent }: MemoryStrand, elapsedMs?: number): RunView {
    const outer: Readonly<Record<string, unknown>>[] = []
    for (let around = parent; around; around = around.parent) outer.push(around.state)
    return {
      status: this.status,
      input: this.#input,
      seed: this.#seed,
      strand: {
        path,
        state,
        outer,
        ...(compound === undefined ? {} : { compound }),
        ...(key === undefined ? {} : { key }),
      },
      ...(task
        ? {
            task: {
              status: task.status,
              attempt: task.attempt,
              path: task.created.path,
              ...(elapsedMs === undefined ? {} : { elapsedMs }),
            },
          }
        : {}),
    }
  }

  #apply(strand: MemoryStrand, transition: Transition): void {
    this.transitions.push(transition)
    if (isRunOver(this.status)) throw new Error(`${transition.type} after the end`)
    if (this.strands.get(strand.path) !== strand)
      throw new Error(`${transition.type} on "${strand.path}", which is over`)
    switch (transition.type) {
      case 'create_task':
        return this.#create(strand, transition)
      case 'settle_task': {
        const task = this.#change(strand, transition.path, transition.status)
        this.#settlements += 1
        task.ended = this.#settlements
        if (transition.output !== undefined) task.output = transition.output
        if (transition.error) task.error = transition.error
        if (transition.status === 'completed') task.completions += 1
        return
      }
      case 'retry_task':
        this.#change(strand, transition.path, 'ready').attempt = transition.attempt
        return
      case 'start_strands':
        return this.#spread(strand, transition)
      case 'cancel_children':
        return this.#cancelBelow(strand)
      case 'arrive':
        return this.#arrive(strand, transition.arrival)
      case 'write_state':
        if (strand.children.size > 0) throw new Error(`"${strand.path}" changes while its children live`)
        strand.state[transition.name] = transition.value
        return
      case 'compensate_run':
        this.#mustBeMain(strand, transition.type)
        this.undoAfter = transition.after ?? null
        return
      case 'complete_run':
        this.#mustBeMain(strand, transition.type)
        this.output = transition.output
        return
      case 'fail_run':
        this.#mustBeMain(strand, transition.type)
        this.error = transition.error
        return
      case 'await_plan':
        this.#change(strand, transition.path, 'waiting')
        return
      case 'record_choice':
      case 'cancel_run':
        return
    }
  }

  #create(strand: MemoryStrand, created: CreateTask): void {
    if (this.tasks.has(created.path)) throw new Error(`${created.path} is created twice`)
    if (strand.task && !isTaskOver(strand.task.status)) throw new Error(`${strand.path} is at two tasks`)
    if (!created.path.startsWith(strand.path) && !created.path.endsWith('~undo'))
      throw new Error(`${created.path} is not of "${strand.path}"`)
    const { status, attempt } = created
    strand.task = { created, strand: strand.path, status, attempt, completions: 0 }
    this.tasks.set(created.path, strand.task)
  }

  #change(strand: MemoryStrand, path: string, to: TaskStatus): MemoryTask {
    const { task } = strand
    if (!task || task.created.path !== path) throw new Error(`"${strand.path}" is not at ${path}`)
    if (!canTaskBecome(task.status, to)) throw new Error(`${path}: ${task.status} cannot become ${to}`)
    task.status = to
    return task
  }

  #spread(parent: MemoryStrand, start: Transition & { type: 'start_strands' }): void {
    const { strands, needed, failFast, concurrency = strands.length } = start
    if (parent.task?.created.path !== start.path || strands.length === 0)
      throw new Error(`"${parent.path}" begins children without their task`)
    Object.assign(parent, { arrivals: strands.map(() => null), needed, failFast, arrived: 0, good: 0 })
    const begun = strands.map((strand, position) => {
      const child = newStrand({ ...strand, position, parent, compound: start.node })
      child.isHeld = position >= concurrency
      if (this.strands.has(child.path)) throw new Error(`"${child.path}" begins twice`)
      this.strands.set(child.path, child)
      parent.children.add(child)
      return { child, strand }
    })
    parent.held = begun.flatMap(({ child }) => (child.isHeld ? [child] : [])).toReversed()
    for (const { child, strand } of begun)
      if (strand.transitions) this.write(child, strand.transitions)
      else if (!child.isHeld) this.#observer.released?.(child)
  }

  #arrive(strand: MemoryStrand, arrival: Arrival): void {
    const { parent, position, task } = strand
    if (!parent) throw new Error('The main line arrives nowhere')
    if (task && !isTaskOver(task.status)) throw new Error(`"${strand.path}" arrives before its task is over`)
    if (parent.arrivals[position] !== null) throw new Error(`"${strand.path}" arrives twice`)
    parent.arrivals[position] = arrival
    parent.arrived += 1
    if (arrival.ok) parent.good += 1
    this.strands.delete(strand.path)
    parent.children.delete(strand)
    const held = parent.held.pop()
    if (!held) return
    held.isHeld = false
    this.#observer.released?.(held)
  }

  /** Whether a strand's children are enough to wake it. */
  isDue({ task, arrivals, needed, failFast, arrived, good }: MemoryStrand): boolean {
    if (task?.status !== 'waiting' || arrivals.length === 0 || !isCompound(task)) return false
    return good >= needed || arrived === arrivals.length || (failFast && arrived > good)
  }

  #cancelBelow(parent: MemoryStrand): void {
    for (const strand of parent.children) {
      this.#cancelBelow(strand)
      this.strands.delete(strand.path)
      const isOpen = strand.task && !isTaskOver(strand.task.status)
      if (strand.task && isOpen) strand.task.status = 'cancelled'
      this.#observer.cancelled?.(strand)
    }
    parent.children.clear()
    parent.held = []
  }

  #mustBeMain(strand: MemoryStrand, type: string): void {
    if (strand.parent) throw new Error(`${type} on "${strand.path}", which is not the main line`)
  }

  #end(status: RunStatus): void {
    const open = [...this.tasks.values()].filter((task) => !isTaskOver(task.status))
    if (status !== 'cancelled' && (open.length > 0 || this.strands.size > 1))
      throw new Error(`The run is ${status} while ${open.map(({ created }) => created.path).join()} is open`)
    for (const task of open) task.status = 'cancelled'
    this.strands.clear()
  }
}

function isCompound({ created }: MemoryTask): boolean {
  return created.kind === 'parallel' || created.kind === 'map'
}

function newStrand(
  strand: Pick<NewStrand, 'path' | 'state'> & Pick<MemoryStrand, 'position'> & Partial<MemoryStrand>,
): MemoryStrand {
  const { path, state, position, parent, compound, key } = strand
  return {
    path,
    state: { ...state },
    position,
    ...(parent ? { parent } : {}),
    ...(compound === undefined ? {} : { compound }),
    ...(key === undefined ? {} : { key }),
    hasBegun: false,
    isHeld: false,
    children: new Set(),
    arrivals: [],
    needed: 0,
    failFast: false,
    arrived: 0,
    good: 0,
    held: [],
  }
}
