import type { WorkflowDefinition } from '../definitions/index.ts'
import { advance, type CoreEvent, type RunView, type Transition } from '../engine/core/index.ts'
import { type Arrived, type EndedTask, endOfTask } from './end-of-task.ts'

type State = Readonly<Record<string, unknown>>

/** The definition of a version, if it is known. */
export type DefinitionOf = (versionId: string) => WorkflowDefinition | undefined

/** Tells the engine's own core of a run's past again, and keeps what it writes: the state of the main line. */
export class Teller {
  state: Record<string, unknown> = {}
  versionId = ''
  input: State
  readonly #seed: string
  readonly #definitionOf: DefinitionOf
  readonly #children: ReadonlyMap<string | null, readonly Arrived[]>

  /** Of `tasks` those count that ended a branch or an item. */
  constructor(seed: string, input: State, definitionOf: DefinitionOf, tasks: readonly Arrived[]) {
    this.input = input
    this.#seed = seed
    this.#definitionOf = definitionOf
    const last = tasks.filter((task) => task.arrival !== null)
    this.#children = Map.groupBy(last, (task) => task.parentId)
  }

  /** What the core answers; nothing, where a definition of another time cannot be told of the step any more. */
  tell(event: CoreEvent, task?: EndedTask): readonly Transition[] {
    const definition = this.#definitionOf(this.versionId)
    if (!definition) return []
    const view: RunView = {
      status: event.type === 'run_started' ? 'queued' : 'running',
      input: this.input,
      seed: this.#seed,
      strand: { path: '', state: this.state, outer: [] },
      ...(task ? { task: { status: 'running', attempt: task.attempt, path: task.stepPath } } : {}),
    }
    let transitions: readonly Transition[] = []
    try {
      transitions = advance(definition, view, event)
    } catch {
      return []
    }
    for (const each of transitions)
      if (each.type === 'write_state') this.state = { ...this.state, [each.name]: each.value }
    return transitions
  }

  /** A task of the main line ended. What undoes a step writes nothing that a step sees. */
  tellEnd(task: EndedTask, status: string): readonly Transition[] {
    const nodes = this.#definitionOf(this.versionId)?.nodes ?? {}
    const node = Object.hasOwn(nodes, task.nodeId) ? nodes[task.nodeId] : undefined
    if (!node || task.stepPath.endsWith('~undo')) return []
    const event = endOfTask(node, task, status, this.#children.get(task.id) ?? [])
    return event ? this.tell(event, task) : []
  }

  /** Somebody had the main line go on at a step. */
  enter(node: unknown): void {
    if (typeof node === 'string') this.tell({ type: 'step_entered', node })
  }
}
