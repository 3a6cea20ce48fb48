import { Document, isMap, isSeq } from 'yaml'
import type { Edge, EdgeTrigger, NodeId, WorkflowDefinition, WorkflowNode } from './definition.ts'
import { present } from './kinds/step-kind.ts'
import type { WrittenStep } from './kinds/step-kind.ts'
import { writeNode } from './kinds/step-kinds.ts'
import { writeRetry } from './kinds/task-step.ts'
import { follow, IMPLICIT_END, implicitEndOf } from './link-steps.ts'
import { DEFAULT_RETRY, DEFAULT_TIMEOUT_MS } from './read-error-handling.ts'
import { formatDuration } from './read-duration.ts'
import { TREE_LIMITS } from './tree.ts'

/**
 * Writes a definition as YAML in the platform's own format, whatever it was written in; read again it is the same, up to
 * `format`. Comments are not kept, and what only repeats a default is left out. Where indentation would make it longer
 * than a definition may be, it is JSON, which is YAML too.
 */
export function writeDefinition(definition: WorkflowDefinition): string {
  const plain = documentOf(definition)
  const document = new Document(plain, { version: '1.2', aliasDuplicateObjects: false })
  const steps = document.get('steps')
  for (const step of isSeq(steps) ? steps.items.slice(1) : []) if (isMap(step)) step.spaceBefore = true
  const text = document.toString({ lineWidth: 0 })
  return Buffer.byteLength(text) > TREE_LIMITS.bytes ? JSON.stringify(plain) : text
}

function documentOf(definition: WorkflowDefinition): WrittenStep {
  const { name, description, trigger, inputs, schemas, priority, timeoutMs, concurrency } = definition
  return present({
    format: 'tutti/1',
    name,
    description,
    trigger,
    inputs: inputs.length > 0 || schemas?.input !== undefined ? inputs : undefined,
    priority,
    timeout: timeoutMs === undefined ? undefined : formatDuration(timeoutMs),
    concurrency: concurrency?.key === undefined ? concurrency?.max : concurrency,
    schemas,
    error_handling: writeErrorHandling(definition),
    steps: new BodyWriter(definition).top(),
  })
}

function writeErrorHandling({ errorHandling }: WorkflowDefinition): WrittenStep | undefined {
  const { retry, timeoutMs, fallback } = errorHandling
  const written = present({
    retry: writeRetry(retry, DEFAULT_RETRY),
    timeout: timeoutMs === DEFAULT_TIMEOUT_MS ? undefined : formatDuration(timeoutMs),
    fallback_action: fallback,
  })
  return Object.keys(written).length > 0 ? written : undefined
}

class BodyWriter {
  readonly #definition: WorkflowDefinition
  readonly #edges = new Map<NodeId, Map<EdgeTrigger, Edge[]>>()
  readonly #targets = new Map<NodeId, NodeId[]>()
  /** The steps that the workflow's fallback takes over from without being told. */
  readonly #isCaught: (node: WorkflowNode) => boolean

  constructor(definition: WorkflowDefinition) {
    this.#definition = definition
    for (const edge of definition.edges) {
      const ways = this.#edges.get(edge.from) ?? new Map<EdgeTrigger, Edge[]>()
      this.#edges.set(edge.from, ways)
      ways.set(edge.on, [...(ways.get(edge.on) ?? []), edge])
      this.#targets.set(edge.from, [...(this.#targets.get(edge.from) ?? []), edge.to])
    }
    const { fallback } = definition.errorHandling
    const afterFallback = fallback === undefined ? undefined : follow(fallback, this.#targets)
    this.#isCaught = ({ id, parent }) =>
      parent === undefined && afterFallback !== undefined && !afterFallback.has(id)
  }

  top(): WrittenStep[] {
    return this.#body(undefined, this.#definition.entry)
  }

  /** The steps of a body in the author's order, which begins with the entry. */
  #body(compound: NodeId | undefined, entry: NodeId): WrittenStep[] {
    const { order, nodes } = this.#definition
    // Of the steps in a parallel, those of one branch.
    const own = compound === undefined ? undefined : follow(entry, this.#targets)
    const steps = order.flatMap((id) => {
      const node = nodes[id]
      return node && node.parent === compound && (own?.has(id) ?? true) ? [node] : []
    })
    return steps.map((node, index) => this.#step(node, steps[index + 1]?.id))
  }

  #step(node: WorkflowNode, following: NodeId | undefined): WrittenStep {
    const { errorHandling } = this.#definition
    const body = (compound: NodeId, entry: NodeId) => this.#body(compound, entry)
    return {
      ...present({ name: node.id, description: node.description }),
      ...writeNode(node, { errorHandling, body }),
      ...present(this.#ways(node, following)),
    }
  }

  #ways(node: WorkflowNode, following: NodeId | undefined): WrittenStep {
    const on = (trigger: EdgeTrigger) => this.#edges.get(node.id)?.get(trigger) ?? []
    const [failed] = on('failed')
    const isImplied = failed?.to === this.#definition.errorHandling.fallback && this.#isCaught(node)
    const shared = {
      if_expired: on('expired')[0] && this.#name(node, on('expired')[0]?.to),
      fallback_action: failed && !isImplied ? this.#name(node, failed.to) : undefined,
    }
    if (node.kind === 'end') return {}
    if (node.kind === 'condition') return { ...this.#choice(node, on('done'), following), ...shared }
    if (node.kind !== 'review') return { next: this.#next(node, on('done'), following), ...shared }
    return {
      if_approved: this.#next(node, on('approved'), following),
      if_rejected: this.#next(node, on('rejected'), undefined) ?? [],
      ...shared,
    }
  }

  /** Where a step leads; undefined when that needs no word: to the step after it, or nowhere from the last one. */
  #next(node: WorkflowNode, edges: readonly Edge[], following: NodeId | undefined): unknown {
    const [edge, ...others] = edges
    if (!edge) return following === undefined ? undefined : []
    if (edge.when === undefined && others.length === 0)
      return edge.to === following ? undefined : this.#name(node, edge.to)
    return edges.map(({ when, to }) =>
      when === undefined ? this.#name(node, to) : { when, next: this.#name(node, to) },
    )
  }

  #choice(node: WorkflowNode, edges: readonly Edge[], following: NodeId | undefined): WrittenStep {
    const branches = edges.filter(({ when }) => when !== undefined)
    const otherwise = this.#next(
      node,
      edges.filter(({ when }) => when === undefined),
      following,
    )
    const [branch, ...others] = branches
    if (branch && others.length === 0)
      return { condition: branch.when, if_true: this.#name(node, branch.to), if_false: otherwise }
    return {
      branches: branches.map(({ when, to }) => ({ when, next: this.#name(node, to) })),
      default: otherwise,
    }
  }

  #name({ parent }: WorkflowNode, to: NodeId | undefined): string | undefined {
    return to === implicitEndOf(parent) ? IMPLICIT_END : to
  }
}
