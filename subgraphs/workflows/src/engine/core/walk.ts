import type {
  Condition,
  ConditionOutcome,
  ExpressionOutcome,
  InputBinding,
  JsonSchema,
  NodeId,
  WorkflowNode,
} from '../../definitions/index.ts'
import { bindInputs } from './bind-inputs.ts'
import type { BoundInputs } from './bind-inputs.ts'
import { fail } from './move.ts'
import type { Move } from './move.ts'
import { Names } from './names.ts'
import type { Program } from './program.ts'
import type { RunView } from './run-view.ts'
import type { StepError, Transition } from './transition.ts'
import { stepError } from './step-error.ts'

/** How many nodes one call still enters before it lets others have their turn; shared with the strands it begins. */
export type Budget = { left: number }

type Settled = (Transition & { type: 'settle_task' })['status']

/** One call's way along a strand: the transitions as they come to be, and the names as they change. */
export class Walk {
  readonly transitions: Transition[] = []
  readonly program: Program
  readonly view: RunView
  readonly names: Names
  readonly budget: Budget
  /** The result of the last step that was completed: what its branch or item comes to, if nothing follows. */
  last: unknown = null

  constructor(program: Program, view: RunView, budget: Budget) {
    this.program = program
    this.view = view
    this.names = new Names(view)
    this.budget = budget
  }

  /** Where a node's work stands in the run, as `each[17]/again[2]/review`. */
  pathOf(id: NodeId): string {
    return this.prefixOf(id) + id
  }

  /** What the path of a node begins with: its strand and the turns of the loops around it. */
  prefixOf(id: NodeId): string {
    const loops = this.program.loopsAround(id)
    return this.view.strand.path + loops.map((loop) => `${loop.id}[${this.names.turnOf(loop.id)}]/`).join('')
  }

  add(transition: Transition): void {
    this.transitions.push(transition)
  }

  write(name: string, value: unknown): void {
    this.names.write(name, value ?? null)
    this.add({ type: 'write_state', name, value: value ?? null })
  }

  settle(id: NodeId, status: Settled, more: { error?: StepError; output?: unknown } = {}): void {
    this.add({ type: 'settle_task', node: id, path: this.pathOf(id), status, ...more })
  }

  /** What a name means to a node: the turn of a loop around it, else what {@link Names.lookUp} finds. */
  read(id: NodeId, name: string): unknown {
    const loop = this.program.indexesAround(id).get(name)
    return loop === undefined ? this.names.lookUp(name) : this.names.turnOf(loop)
  }

  /** The value of an expression to a node; `more` are names that hide others. */
  evaluate(id: NodeId, text: string, more: ReadonlyMap<string, unknown> = NOTHING): ExpressionOutcome {
    const expression = this.program.expression(text)
    return expression.evaluate(this.#namesOf(id, expression.variables, more))
  }

  /** Whether a condition holds for a node. */
  holds(id: NodeId, condition: Condition): ConditionOutcome {
    return condition.evaluate(this.#namesOf(id, condition.variables, NOTHING))
  }

  bind(id: NodeId, bindings: readonly InputBinding[]): BoundInputs {
    return bindInputs(
      bindings,
      (name) => this.read(id, name),
      (text) => this.evaluate(id, text),
    )
  }

  /** A node without a task of its own, or one that could not get it, fails: the history has its error all the same. */
  refuse(node: WorkflowNode, error: StepError): Move {
    this.add({ type: 'record_choice', node: node.id, path: this.pathOf(node.id), to: null, error })
    return fail(node, error)
  }

  /** Why a value may not have this name in the state, if so. */
  misfitOf(name: string | undefined, value: unknown): StepError | undefined {
    const schemas = this.program.definition.schemas?.state
    if (name === undefined || !schemas || !Object.hasOwn(schemas, name)) return undefined
    return this.misfit(`"${name}"`, schemas[name], value)
  }

  /** Why a value does not fit a schema, if so; `what` begins the sentence. */
  misfit(what: string, schema: JsonSchema | undefined, value: unknown): StepError | undefined {
    if (schema === undefined) return undefined
    const [problem, ...more] = this.program.check(schema)(value ?? null)
    if (!problem) return undefined
    const place = problem.path === '' ? '' : ` at ${problem.path}`
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`
    return stepError('OUTPUT_INVALID', `${what} does not fit its schema${place}: ${problem.message}${rest}.`)
  }

  #namesOf(
    id: NodeId,
    variables: readonly string[],
    more: ReadonlyMap<string, unknown>,
  ): Record<string, unknown> {
    return Object.fromEntries(
      variables.map((name) => [name, more.has(name) ? more.get(name) : this.read(id, name)]),
    )
  }
}

const NOTHING: ReadonlyMap<string, unknown> = new Map()
