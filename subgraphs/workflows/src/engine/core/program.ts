import { compileCondition, compileExpression, compileSchema } from '../../definitions/index.ts'
import type {
  CompiledExpression,
  Condition,
  Edge,
  EdgeTrigger,
  JsonSchema,
  LoopNode,
  NodeId,
  SchemaCheck,
  WorkflowDefinition,
  WorkflowNode,
} from '../../definitions/index.ts'

/** An edge with its condition parsed. */
export type ProgramEdge = { readonly to: NodeId; readonly condition?: Condition }

const NO_EDGES: readonly ProgramEdge[] = []
const programs = new WeakMap<WorkflowDefinition, Program>()

/**
 * The program of a definition, made at its first use and kept as long as the definition object: hold on to that object
 * (one a version) rather than parsing it from the database for every event.
 */
export function programOf(definition: WorkflowDefinition): Program {
  let program = programs.get(definition)
  if (!program) {
    program = new Program(definition)
    programs.set(definition, program)
  }
  return program
}

/** A definition made ready to run: edges by node and trigger; expressions and schemas compiled at their first use. */
export class Program {
  readonly definition: WorkflowDefinition
  /** Whether some step of it can be undone. */
  readonly canCompensate: boolean
  readonly #edges = new Map<string, ProgramEdge[]>()
  readonly #expressions = new Map<string, CompiledExpression>()
  readonly #conditions = new Map<string, Condition>()
  readonly #checks = new Map<JsonSchema, SchemaCheck>()
  readonly #loops = new Map<NodeId, readonly LoopNode[]>()
  readonly #indexes = new Map<NodeId, ReadonlyMap<string, NodeId>>()

  constructor(definition: WorkflowDefinition) {
    this.definition = definition
    this.canCompensate = Object.values(definition.nodes).some(
      (node) => node.kind === 'task' && node.compensate !== undefined,
    )
    for (const edge of definition.edges) {
      const key = keyOf(edge.from, edge.on)
      const list = this.#edges.get(key)
      if (list) list.push(this.#compileEdge(edge))
      else this.#edges.set(key, [this.#compileEdge(edge)])
    }
  }

  /** @throws Error when the definition has no such node: a mix-up of versions in the caller. */
  node(id: NodeId): WorkflowNode {
    const { nodes, name } = this.definition
    const node = Object.hasOwn(nodes, id) ? nodes[id] : undefined
    if (!node) throw new Error(`The workflow "${name}" has no step "${id}".`)
    return node
  }

  edges(from: NodeId, on: EdgeTrigger): readonly ProgramEdge[] {
    return this.#edges.get(keyOf(from, on)) ?? NO_EDGES
  }

  expression(text: string): CompiledExpression {
    return remembered(this.#expressions, text, () => {
      const compiled = compileExpression(text)
      if (compiled.ok) return compiled.expression
      return { text, variables: [], evaluate: () => ({ ok: false, message: compiled.message }) }
    })
  }

  condition(text: string): Condition {
    return remembered(this.#conditions, text, () => {
      const compiled = compileCondition(text)
      if (compiled.ok) return compiled.condition
      // The reader refuses such a text; a stored one that a newer parser rejects must fail its step, not the engine.
      return { text, variables: [], evaluate: () => ({ ok: false, message: compiled.message }) }
    })
  }

  check(schema: JsonSchema): SchemaCheck {
    return remembered(this.#checks, schema, () => {
      const compiled = compileSchema(schema)
      if (compiled.ok) return compiled.check
      return () => [{ path: '', message: `cannot be checked: ${compiled.message}` }]
    })
  }

  /** The loops around a node up to its branch, item or run, the outermost first: those its strand turns in. */
  loopsAround(id: NodeId): readonly LoopNode[] {
    return remembered(this.#loops, id, () => {
      const loops: LoopNode[] = []
      for (let parent = this.#parentOf(id); parent?.kind === 'loop'; parent = this.#parentOf(parent.id))
        loops.unshift(parent)
      return loops
    })
  }

  /** The loops whose turn has a name that the node sees, by that name; the innermost wins. */
  indexesAround(id: NodeId): ReadonlyMap<string, NodeId> {
    return remembered(this.#indexes, id, () => {
      const indexes = new Map<string, NodeId>()
      for (let parent = this.#parentOf(id); parent; parent = this.#parentOf(parent.id))
        if (parent.kind === 'loop' && parent.indexAs !== undefined && !indexes.has(parent.indexAs))
          indexes.set(parent.indexAs, parent.id)
      return indexes
    })
  }

  #parentOf(id: NodeId): WorkflowNode | undefined {
    const { parent } = this.node(id)
    return parent === undefined ? undefined : this.node(parent)
  }

  #compileEdge({ to, when }: Edge): ProgramEdge {
    return when === undefined ? { to } : { to, condition: this.condition(when) }
  }
}

function keyOf(from: NodeId, on: EdgeTrigger): string {
  return `${on} ${from}`
}

function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const value = known.get(key)
  if (value !== undefined) return value
  const made = make()
  known.set(key, made)
  return made
}
