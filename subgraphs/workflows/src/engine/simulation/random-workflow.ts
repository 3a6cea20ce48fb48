import type {
  Edge,
  EdgeTrigger,
  Join,
  NodeId,
  RetryPolicy,
  TaskNode,
  WorkflowDefinition,
  WorkflowNode,
} from '../../definitions/index.ts'
import { DEADLY } from './agents.ts'
import { INPUT } from './input.ts'
import { type Piece, PIECES } from './pieces.ts'
import type { Random } from './random.ts'

export interface Options {
  readonly name: string
  /** A workflow that it may begin as a sub-workflow. */
  readonly sub?: string
  /** Steps, more or less. */
  readonly size: number
  readonly deadly?: boolean
  /** The share of its agents' steps that can be undone. */
  readonly undo: number
  /** What many of its steps are. */
  readonly favour: Piece | undefined
}

/** A small workflow of any shape, made of the numbers that come next. */
export function randomWorkflow(random: Random, options: Options): WorkflowDefinition {
  return new Builder(random, options).build()
}

class Builder {
  readonly #random: Random
  readonly #options: Options
  readonly #nodes: Record<NodeId, WorkflowNode> = {}
  readonly #edges: Edge[] = []
  #left: number
  #count = 0

  constructor(random: Random, options: Options) {
    this.#random = random
    this.#options = options
    this.#left = options.size
  }

  build(): WorkflowDefinition {
    const entry = this.#body(undefined, 0)
    return {
      format: 'tutti/1',
      name: this.#options.name,
      entry,
      inputs: Object.keys(INPUT),
      order: Object.keys(this.#nodes),
      nodes: this.#nodes,
      edges: this.#edges,
      errorHandling: { retry: retryOf(this.#random), timeoutMs: 4_000 },
    }
  }

  /** Some steps in a row; the answer is the first. */
  #body(parent: NodeId | undefined, depth: number): NodeId {
    const length = depth === 0 ? this.#random.whole(2, 4) : this.#random.whole(1, 2)
    const ids = Array.from({ length }, () => this.#piece(parent, depth))
    for (const [index, id] of ids.entries()) {
      const next = ids[index + 1]
      if (next === undefined) continue
      this.#connect(id, next)
      if (this.#nodes[id]?.kind === 'review') this.#connect(id, next, 'approved')
      if (this.#random.chance(0.2)) this.#connect(id, next, 'failed')
    }
    const [first] = ids
    if (first === undefined) throw new Error('A body has a step.')
    return first
  }

  #piece(parent: NodeId | undefined, depth: number): NodeId {
    const random = this.#random
    this.#left -= 1
    this.#count += 1
    const base = { id: `n${this.#count}`, ...(parent === undefined ? {} : { parent }) }
    const { id } = base
    const kind = depth >= 3 || this.#left <= 0 ? 'task' : this.#kind()
    const onFailure = random.chance(0.7) ? 'fail' : 'collect'
    switch (kind) {
      case 'task':
        return this.#add(this.#task(base))
      case 'parallel': {
        const branches = Array.from({ length: random.whole(2, 3) }, (_, at) => ({
          name: `b${at}`,
          entry: this.#body(id, depth + 1),
        }))
        const join = joinOf(random, branches.length)
        return this.#add({ ...base, kind, branches, join, onFailure, output: `o${id}` })
      }
      case 'map': {
        const [over, most] = random.pick([
          ['five', 5],
          ['five', 5],
          ['two', 2],
          ['none', 0],
        ] as const)
        const bound = random.chance(0.6) ? { concurrency: random.whole(1, 3) } : {}
        const join = most === 0 ? ({ mode: 'all' } as const) : joinOf(random, most)
        const entry = this.#body(id, depth + 1)
        return this.#add({ ...base, kind, over, as: 'at', entry, join, onFailure, ...bound, maxItems: 9 })
      }
      case 'loop': {
        const entry = this.#body(id, depth + 1)
        return this.#add({ ...base, kind, entry, maxTurns: random.whole(1, 3), onExhausted: 'done' })
      }
      case 'choice': {
        const [yes, no] = [
          this.#add(this.#task(this.#next(parent))),
          this.#add(this.#task(this.#next(parent))),
        ]
        this.#connect(id, yes, 'done', 'n > 3 || last == null')
        this.#connect(id, no)
        return this.#add({ ...base, kind: 'condition' })
      }
      case 'signal':
      case 'event': {
        const what =
          kind === 'signal'
            ? ({ type: 'signal', name: random.pick(['go', 'stop']) } as const)
            : ({ type: 'event', event: 'thing.happened' } as const)
        const limit = random.chance(0.4) ? { timeoutMs: random.whole(200, 6_000) } : {}
        return this.#add({ ...base, kind: 'wait', for: what, ...limit, output: `o${id}` })
      }
      case 'timer':
        return this.#add({ ...base, kind: 'wait', for: { type: 'duration', ms: random.whole(0, 3_000) } })
      case 'review':
        return this.#add({ ...base, kind, role: 'r', question: 'Go on?', inputs: [], output: `o${id}` })
      case 'message':
        return this.#add({ ...base, kind, to: 'a', channel: 'c', body: 'n' })
      case 'transform':
        return this.#add({ ...base, kind, assign: [{ name: `t${id}`, value: 'n' }] })
      case 'sub': {
        const { sub } = this.#options
        if (sub === undefined) return this.#add(this.#task(base))
        const limit = random.chance(0.3) ? { timeoutMs: random.whole(500, 8_000) } : {}
        const wait = random.chance(0.8)
        const inputs = Object.keys(INPUT).map((name) => ({ param: name, path: [name] }))
        return this.#add({
          ...base,
          kind: 'workflow',
          workflow: sub,
          inputs,
          wait,
          ...limit,
          output: `o${id}`,
        })
      }
    }
  }

  #kind(): Piece {
    const random = this.#random
    const { favour } = this.#options
    return favour !== undefined && random.chance(0.4) ? favour : random.pick(PIECES)
  }

  #next(parent: NodeId | undefined): { id: NodeId; parent?: NodeId } {
    this.#count += 1
    return { id: `n${this.#count}`, ...(parent === undefined ? {} : { parent }) }
  }

  #task(base: { id: NodeId; parent?: NodeId }): TaskNode {
    const random = this.#random
    const undo = random.chance(this.#options.undo) ? { compensate: { agent: 'undoer' } } : {}
    return {
      ...base,
      kind: 'task',
      agent: this.#options.deadly && random.chance(0.3) ? DEADLY : 'a',
      inputs: [
        { param: 'last', path: ['last'] },
        { param: 'at', path: ['at'] },
      ],
      ...(random.chance(0.3) ? { output: 'last' } : {}),
      retry: retryOf(random),
      timeoutMs: random.chance(0.2) ? random.whole(50, 400) : 4_000,
      ...undo,
    }
  }

  #add(node: WorkflowNode): NodeId {
    this.#nodes[node.id] = node
    return node.id
  }

  #connect(from: NodeId, to: NodeId, on: EdgeTrigger = 'done', when?: string): void {
    this.#edges.push({ from, to, on, ...(when === undefined ? {} : { when }) })
  }
}

function retryOf(random: Random): RetryPolicy {
  return {
    maxAttempts: random.whole(1, 3),
    initialDelayMs: random.whole(1, 800),
    factor: 2,
    maxDelayMs: 2_000,
  }
}

function joinOf(random: Random, children: number): Join {
  const mode = random.pick(['all', 'all', 'any', 'count'] as const)
  return mode === 'count' ? { mode, count: random.whole(1, children) } : { mode }
}
