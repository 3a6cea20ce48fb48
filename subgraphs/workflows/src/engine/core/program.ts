import { compileCondition } from '../../definitions/index.ts'
import type { Condition, Edge, EdgeTrigger, NodeId, WorkflowDefinition } from '../../definitions/index.ts'

/** An edge with its condition parsed. */
export type ProgramEdge = { readonly to: NodeId; readonly condition?: Condition }

/** A definition made ready to run: edges by node and trigger, conditions parsed once. */
export type Program = {
  readonly edges: (from: NodeId, on: EdgeTrigger) => readonly ProgramEdge[]
}

const NONE: readonly ProgramEdge[] = []
const programs = new WeakMap<WorkflowDefinition, Program>()

/**
 * The program of a definition, made at its first use and kept as long as the definition object: hold on to that object
 * (one a version) rather than parsing it from the database for every event.
 */
export function programOf(definition: WorkflowDefinition): Program {
  const known = programs.get(definition)
  if (known) return known
  const table = new Map<string, ProgramEdge[]>()
  for (const edge of definition.edges) {
    const key = keyOf(edge.from, edge.on)
    const list = table.get(key)
    if (list) list.push(compileEdge(edge))
    else table.set(key, [compileEdge(edge)])
  }
  const program: Program = { edges: (from, on) => table.get(keyOf(from, on)) ?? NONE }
  programs.set(definition, program)
  return program
}

function keyOf(from: NodeId, on: EdgeTrigger): string {
  return `${on} ${from}`
}

function compileEdge({ to, when }: Edge): ProgramEdge {
  if (when === undefined) return { to }
  const compiled = compileCondition(when)
  // The reader refuses such a text; a stored one that a newer parser rejects must fail its step, not the engine.
  const condition = compiled.ok
    ? compiled.condition
    : { text: when, variables: [], evaluate: () => ({ ok: false, message: compiled.message }) as const }
  return { to, condition }
}
