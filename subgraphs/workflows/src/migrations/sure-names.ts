import type { EdgeTrigger, NodeId, WorkflowDefinition, WorkflowNode } from '../definitions/index.ts'

/** Names that surely have a value. */
export type Names = ReadonlySet<string>

/** A place where names are read: a step when a run comes to it, its ways out on a trigger, the end of its body. */
export type Place = `at ${NodeId}` | `after ${NodeId} ${EdgeTrigger}` | `through ${NodeId}`

/** What is sure at every place that a run can come to; a place that it cannot is missing. */
export type SureNames = ReadonlyMap<Place, Names>

/** Where a line of control is: before a step, or at one, with what will surely be there after it, by how it ends. */
export type Start =
  | { readonly before: NodeId; readonly names: Names }
  | { readonly at: NodeId; readonly after: ReadonlyMap<EdgeTrigger, Names> }

/**
 * What is sure where, on the way from a start to the end of its body (and of the loops around it, up to `around`).
 * A name is sure at a step when every way there gives it a value: the meet over all ways. `exit` is what is sure at the
 * end of the body; undefined when no way leads there.
 */
export function sureNames(
  definition: WorkflowDefinition,
  start: Start,
  around?: NodeId,
): { sure: SureNames; exit: Names | undefined } {
  const flow = new Flow(definition)
  const exit = flow.from(start, around)
  return { sure: flow.sure, exit }
}

/** The triggers on which a step of a kind is left, and which of them give its output a value. */
const WAYS: Readonly<
  Record<WorkflowNode['kind'], { with: readonly EdgeTrigger[]; without: readonly EdgeTrigger[] }>
> = {
  task: { with: ['done'], without: ['failed'] },
  message: { with: ['done'], without: ['failed'] },
  review: { with: ['approved', 'rejected'], without: ['expired', 'failed'] },
  wait: { with: ['done'], without: ['expired', 'failed'] },
  workflow: { with: ['done'], without: ['failed'] },
  parallel: { with: ['done'], without: ['failed'] },
  map: { with: ['done'], without: ['failed'] },
  loop: { with: ['done'], without: ['failed'] },
  transform: { with: ['done'], without: ['failed'] },
  condition: { with: ['done'], without: ['failed'] },
  end: { with: [], without: [] },
}

/** A step that is left on one of these, and has no way out on it, ends its body; on the others it fails. */
const ENDS: readonly EdgeTrigger[] = ['done', 'approved', 'rejected']

/** What is sure after a step with these names before it, `made` being what it leaves behind when it is done. */
export function afterOf(node: WorkflowNode, names: Names, made: Iterable<string>): Map<EdgeTrigger, Names> {
  const output = 'output' in node && node.output !== undefined ? [node.output] : []
  const done = new Set([...names, ...made, ...output])
  const { with: ways, without } = WAYS[node.kind]
  return new Map([
    ...ways.map((trigger) => [trigger, done] as const),
    ...without.map((trigger) => [trigger, names] as const),
  ])
}

class Flow {
  readonly sure = new Map<Place, Names>()
  readonly #definition: WorkflowDefinition

  constructor(definition: WorkflowDefinition) {
    this.#definition = definition
  }

  from(start: Start, around: NodeId | undefined): Names | undefined {
    const id = 'at' in start ? start.at : start.before
    const { parent } = this.#node(id)
    const exit = this.#body(start)
    const loop = parent === undefined || parent === around ? undefined : this.#node(parent)
    if (loop?.kind !== 'loop') return exit
    // The turn is through: another one follows, or the loop is done.
    if (!exit) return undefined
    this.#note(`through ${loop.id}`, exit)
    this.#note(`at ${loop.id}`, exit)
    this.#body({ before: loop.entry, names: exit })
    return this.from({ at: loop.id, after: afterOf(loop, exit, []) }, around)
  }

  /** Goes along a body, and answers with what is sure at its end. */
  #body(start: Start): Names | undefined {
    const seen = new Map<NodeId, Names>()
    const ways: { to: NodeId; names: Names }[] = []
    let exit: Names | undefined
    const leave = (id: NodeId, after: ReadonlyMap<EdgeTrigger, Names>): void => {
      for (const [trigger, names] of after) {
        const edges = this.#definition.edges.filter((edge) => edge.from === id && edge.on === trigger)
        if (edges.length > 0) this.#note(`after ${id} ${trigger}`, names)
        for (const { to } of edges) ways.push({ to, names })
        if (ENDS.includes(trigger) && edges.every(({ when }) => when !== undefined)) exit = meet(exit, names)
      }
    }
    if ('at' in start) leave(start.at, start.after)
    else ways.push({ to: start.before, names: start.names })
    for (let way = ways.pop(); way; way = ways.pop()) {
      const known = seen.get(way.to)
      const names = meet(known, way.names)
      if (known && names.size === known.size) continue
      seen.set(way.to, names)
      this.#note(`at ${way.to}`, names)
      const node = this.#node(way.to)
      if (node.kind === 'end') exit = meet(exit, names)
      else leave(node.id, afterOf(node, names, this.#madeBy(node, names)))
    }
    return exit
  }

  /** What a step leaves behind beside its output; goes through its bodies. */
  #madeBy(node: WorkflowNode, names: Names): Iterable<string> {
    switch (node.kind) {
      case 'transform':
        return node.assign.map(({ name }) => name)
      case 'parallel': {
        const exits = node.branches.map(({ entry }) => this.#body({ before: entry, names }))
        const isWhole = node.join.mode === 'all' && node.onFailure === 'fail'
        return isWhole ? exits.flatMap((exit) => [...(exit ?? [])]) : []
      }
      case 'map': {
        const item = [node.as, ...(node.indexAs === undefined ? [] : [node.indexAs])]
        const exit = this.#body({ before: node.entry, names: new Set([...names, ...item]) })
        if (exit) this.#note(`through ${node.id}`, exit)
        return []
      }
      case 'loop': {
        const exit = this.#body({ before: node.entry, names })
        if (exit) this.#note(`through ${node.id}`, exit)
        // With `while` there may be no turn at all.
        return node.while === undefined ? (exit ?? []) : []
      }
      default:
        return []
    }
  }

  /** Keeps what is sure on every way to a place. */
  #note(place: Place, names: Names): void {
    this.sure.set(place, meet(this.sure.get(place), names))
  }

  #node(id: NodeId): WorkflowNode {
    const { nodes } = this.#definition
    return (Object.hasOwn(nodes, id) ? nodes[id] : undefined) ?? { id, kind: 'end' }
  }
}

const meet = (known: Names | undefined, names: Names): Names => known?.intersection(names) ?? names
