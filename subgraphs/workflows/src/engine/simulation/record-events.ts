import type { WorkflowDefinition } from '../../definitions/index.ts'
import { advance, type CoreEvent, isRunOver, type RunView, type Transition } from '../core/index.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import {
  mainStrand,
  mergeChanges,
  type PlannedChange,
  planTransitions,
  unchanged,
} from '../store/plan-transitions.ts'
import type { Written } from '../store/write-plan.ts'
import type { TaskOutcome } from '../worker/outcome.ts'
import {
  duesOf,
  eventOf,
  type Finished,
  IN_MEMORY,
  resultByHand,
  resultOf,
  viewOf,
} from '../worker/record-events.ts'
import { INPUT } from './input.ts'
import type { Coroutine } from './coroutine.ts'
import { idOf, timeId } from './id-of.ts'
import { type Beginning, beginning, firstTransitions } from './beginning.ts'
import type { Process } from './process.ts'
import { cancelBelow } from './store/children.ts'
import { startsInLine } from './store/line-up-runs.ts'
import type { Start } from './store/outside.ts'
import { runStatus } from './store/rows.ts'
import { writePlan } from './store/write-plan.ts'
import { query, type World } from './world.ts'

const ACTOR = { id: 'worker', kind: 'system', name: 'worker' } as const

/** A {@link Finished} and the claim under which it was done. */
export interface Recording extends Finished {
  claim: string
}

export interface Recorded extends Written {
  next: { after: HeldStrand; held: HeldStrand; claim: string }[]
  madeReady: boolean
  dueMs?: number
  awaiting: string[]
  /** Whether a run has ended. */
  ended: boolean
  /** Strands that now wait for a time. */
  timers: string[]
}

interface Planned {
  held: HeldStrand
  plan: PlannedChange
  /** Of the strand, and of what begins with this write. */
  claim: string
  newClaim: string
}

/** The shell of `engine/worker/record-events.ts`; what is pure there is used as it is. */
export class Recorder {
  readonly #world: World
  readonly #process: Process
  #ids = 0

  constructor(world: World, process: Process) {
    this.#world = world
    this.#process = process
  }

  /** Ids grow with the clock of the process that makes them, as UUIDs of version 7 do. */
  newId = (): string => {
    this.#ids += 1
    return timeId(this.#process.wall, this.#process.number, this.#ids)
  }

  /** `rowsOf` and `planStart` of `runs/start-runs.ts`; with a claim, this process begins the run at once. */
  planStart({ id, workflow, key, limitKey, claim }: Beginning): { start: Start; next: HeldStrand[] } {
    const held = beginning({ id, workflow, limitKey, strand: this.newId(), now: this.#process.wall })
    const waits = startsInLine(this.#world.db, workflow)
    const transitions = waits ? [] : firstTransitions(this.#definitionOf(held), this.#viewOf(held))
    const mayTake = !waits && !this.#world.hasLimits && claim !== undefined
    const what = { id, workflow, version: workflow, input: INPUT, key, limitKey }
    const strand = { ...mainStrand(held.run, held.id), due_at: undefined, due_ms: 0 }
    if (transitions.length === 0) {
      const start = { ...what, status: 'queued', tasks: [], events: [] } as const
      if (!mayTake) return { start: { ...start, strand }, next: [] }
      return {
        start: { ...start, strand: { ...strand, status: 'running', claim } },
        next: [{ ...held, fence: 1n }],
      }
    }
    const { change, next } = this.#plan(held, transitions, {}, mayTake ? { claim } : {})
    const isReady = change.status === 'ready'
    const { status, task, agent, wait, resume, tasks = [], events } = change
    const begun = {
      ...{ ...strand, status, task, agent, wait, resume, state: change.patch ?? {} },
      claim: next.length > 0 ? claim : undefined,
      due_at: isReady ? undefined : change.due_at,
      due_ms: isReady ? (change.due_ms ?? 0) : change.due_ms,
    }
    return {
      start: { ...what, status: runStatus(change.r_status ?? 'running'), strand: begun, tasks, events },
      next,
    }
  }

  *recordEvents(finished: readonly Recording[], slots: number): Coroutine<Recorded> {
    const planned: Planned[] = []
    let left = slots
    for (const each of finished) {
      const newClaim = this.newId()
      const made = yield* this.#planOne(each, newClaim, left)
      const plan = this.#world.worker.planned(made, each.held)
      left = Math.max(0, left - Math.max(0, plan.next.length - 1))
      planned.push({ held: each.held, plan, claim: each.claim, newClaim })
    }
    const written = yield* this.#write(planned)
    const done = planned.filter(({ held }) => written.written.has(held.id))
    const waiting = done
      .flatMap(({ plan: { change } }) => [change, ...(change.strands ?? [])])
      .filter(({ status }) => status === 'waiting')
    const dues = done.flatMap(({ plan }) => duesOf(plan, this.#process.wall))
    return {
      ...written,
      ...(dues.length > 0 ? { dueMs: Math.min(...dues) } : {}),
      next: done.flatMap(({ held, plan, claim, newClaim }) =>
        plan.next.map((next) => ({
          after: held,
          held: next,
          claim: next.id === held.id ? claim : newClaim,
        })),
      ),
      madeReady: done.some(({ plan }) => plan.madeReady) || written.woken.length > 0,
      awaiting: waiting.filter(({ wait }) => wait?.startsWith('signal:')).map(({ id }) => id),
      ended: done.some(({ plan: { change } }) => change.r_over),
      timers: waiting.map(({ id }) => id),
    }
  }

  *#write(planned: readonly Planned[]): Coroutine<Written> {
    const { store, worker, invariants } = this.#world
    const changes = planned.map(({ plan: { change } }) => change)
    const claims = new Map(planned.map(({ held, claim }) => [held.id, claim]))
    const cancelling = planned.filter(({ plan: { cancels } }) => worker.cancels && cancels.length > 0)
    const isWithin = worker.cancelsWithin
    const written = yield* query(this.#world, this.#process, {
      name: cancelling.length > 0 ? 'write and cancel' : 'write',
      isTransaction: cancelling.length > 0,
      statement: {
        type: 'write',
        changes,
        cancels: new Map(cancelling.map(({ plan: { change, cancels } }) => [change.id, cancels])),
      },
      work: (db, then) => {
        const written = writePlan(db, store.write, changes)
        invariants.wrote(changes, claims, written.written)
        db.endStatement()
        const parents = cancelling.flatMap(({ plan: { cancels, change } }) =>
          written.written.has(change.id) ? cancels : [],
        )
        if (parents.length > 0 && isWithin) cancelBelow(db, then, store.children, parents)
        return written
      },
    })
    if (cancelling.length > 0 && !isWithin)
      yield* query(this.#world, this.#process, {
        name: 'cancel',
        work: (db, then) =>
          cancelBelow(
            db,
            then,
            store.children,
            cancelling.flatMap(({ plan }) => plan.cancels),
          ),
      })
    return written
  }

  *#planOne(finished: Recording, newClaim: string, slots: number): Coroutine<PlannedChange> {
    const { begun, outcome } = finished
    if (!begun) return yield* this.#planEvent(finished, newClaim, slots)
    if (!outcome) return begun
    const ended = yield* this.#planEvent(finished, newClaim, slots)
    return { ...ended, change: mergeChanges(begun.change, ended.change) }
  }

  /** `beginChild` */
  beginChild(held: HeldStrand): { held: HeldStrand; begun: PlannedChange } | undefined {
    const definition = this.#definitionOf(held)
    const transitions = advance(definition, this.#viewOf(held), { type: 'strand_started' })
    if (!transitions.every(({ type }) => IN_MEMORY.has(type))) return undefined
    const begun = this.#plan(held, transitions, {}, { claim: this.newId() })
    const [next] = begun.next
    return next && { held: { ...next, fence: held.fence }, begun }
  }

  /** What `LimitMemory` says; here limits do not change. */
  #passesClaim({ run }: HeldStrand, agentId: string | null): boolean {
    const { db, hasLimits, worker } = this.#world
    if (agentId === null || !hasLimits || !worker.tasksPassClaim) return false
    for (const { scope, subject, max_starts, counts } of db.engine_limit.values()) {
      if (counts === 'runs') continue
      if (scope === 'agent' && subject === agentId) return true
      if (max_starts !== null && (scope !== 'workflow' || subject === run.workflowId)) return true
    }
    return false
  }

  *#planEvent(
    { held, outcome, mayContinue }: Recording,
    newClaim: string,
    slots: number,
  ): Coroutine<PlannedChange> {
    if (isRunOver(held.runStatus))
      return { change: { ...unchanged(held), gone: true }, next: [], cancels: [], madeReady: false }
    if (outcome?.type === 'waiting') throw new Error('No agent of the simulation asks a person.')
    const event = outcome ? eventOf(held, outcome) : yield* this.#wordOf(held)
    const definition = this.#definitionOf(held)
    const transitions = this.#world.worker.decide(definition, this.#viewOf(held), event, held.task?.nodeId)
    const plan = this.#plan(held, transitions, outcome ? resultOf(outcome) : resultByHand(event), {
      slots: this.#world.hasLimits && this.#world.worker.childrenPassClaim ? 0 : slots,
      ...(mayContinue ? { claim: newClaim } : {}),
    })
    const isAsked = transitions.at(-1)?.type === 'compensate_run'
    if (isAsked && !this.#world.worker.listsWhenWritten)
      plan.change.resume = yield* this.#listed(definition, held)
    return plan
  }

  *#listed(definition: WorkflowDefinition, held: HeldStrand): Coroutine<CoreEvent> {
    const { store, worker } = this.#world
    const undoable = Object.values(definition.nodes).flatMap((node) =>
      node.kind === 'task' && node.compensate ? [node.id] : [],
    )
    const steps = yield* query(this.#world, this.#process, {
      name: 'list undoable',
      statement: { type: 'list undoable', run: held.run.id, nodes: undoable },
      work: (_db, then) => store.read.undoable(then, held.run.id, undoable),
    })
    return { type: 'compensation_listed', steps: worker.listed(steps) }
  }

  *#wordOf(held: HeldStrand): Coroutine<CoreEvent> {
    const { id, resume, task, parentId } = held
    if (resume?.type === 'compensation_listed' && this.#world.worker.listsWhenWritten)
      return yield* this.#listed(this.#definitionOf(held), held)
    if (resume) return resume
    if (!task) return { type: parentId === null ? 'run_started' : 'strand_started' }
    const arrivals = yield* query(this.#world, this.#process, {
      name: 'read arrivals',
      statement: { type: 'read arrivals', id, taskId: task.id },
      work: (_db, then) => this.#world.store.read.arrivals(then, { id, taskId: task.id }),
    })
    return { type: 'children_done', node: task.nodeId, arrivals }
  }

  #plan(
    held: HeldStrand,
    transitions: readonly Transition[],
    result: Parameters<typeof planTransitions>[2],
    options: { slots?: number; claim?: string },
  ): PlannedChange {
    return planTransitions(held, transitions, result, {
      names: {
        agent: ({ agent = 'anyone' }) => ({ id: idOf(agent), name: agent }),
        version: (workflow) =>
          this.#world.definitions.has(idOf(workflow))
            ? { workflowId: idOf(workflow), workflowName: workflow, versionId: idOf(workflow) }
            : undefined,
      },
      definition: this.#definitionOf(held),
      actor: ACTOR,
      newId: this.newId,
      now: () => this.#process.wall,
      passesClaim: ({ agentId }) => this.#passesClaim(held, agentId),
      ...options,
    })
  }

  #viewOf(held: HeldStrand): RunView {
    return viewOf(held, this.#process.wall)
  }

  #definitionOf({ run: { versionId } }: HeldStrand): WorkflowDefinition {
    const definition = this.#world.definitions.get(versionId)
    if (!definition) throw new Error(`No version ${versionId}.`)
    return definition
  }
}

export type Outcome = Exclude<TaskOutcome, { type: 'waiting' }>
