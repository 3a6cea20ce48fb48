import fc from 'fast-check'
import type {
  Edge,
  EdgeTrigger,
  Join,
  NodeId,
  ParallelNode,
  RetryPolicy,
  WorkflowDefinition,
  WorkflowNode,
} from '../../definitions/index.ts'
import { IMPLICIT_END } from '../../definitions/index.ts'

type OnFailure = ParallelNode['onFailure']

/** One or more steps in a row, and how they end: by themselves, or at an end node. */
export type Body = { readonly pieces: readonly Piece[]; readonly end: 'none' | 'named' | 'implicit' }

type Piece = {
  /** A step that takes over when this one fails, in the same body. */
  readonly mended: boolean
} & (
  | {
      readonly kind: 'task'
      readonly retries: number
      readonly undo: boolean
      readonly strict: boolean
      readonly shared: boolean
    }
  | { readonly kind: 'plain'; readonly of: 'review' | 'wait' | 'signal' | 'message' | 'transform' }
  | { readonly kind: 'workflow'; readonly wait: boolean }
  | { readonly kind: 'choice'; readonly test: string; readonly bodies: readonly Piece[] }
  | {
      readonly kind: 'parallel'
      readonly bodies: readonly Body[]
      readonly join: Join
      readonly onFailure: OnFailure
    }
  | {
      readonly kind: 'map'
      readonly body: Body
      readonly over: string
      readonly join: Join
      readonly onFailure: OnFailure
      readonly concurrency?: number | undefined
      readonly collect?: string | undefined
    }
  | {
      readonly kind: 'loop'
      readonly body: Body
      readonly maxTurns: number
      readonly until?: string | undefined
      readonly while?: string | undefined
      readonly onExhausted: 'done' | 'fail'
    }
)

/** The payload that random definitions are made for. */
export const RANDOM_INPUT = {
  n: 3,
  none: [],
  one: [{ item: 'one/0' }],
  four: [0, 1, 2, 3].map((at) => ({ item: `four/${at}` })),
  many: Array.from({ length: 140 }, (_, at) => ({ item: `many/${at}` })),
}

const mended = fc.boolean()
const onFailure = fc.constantFrom<OnFailure[]>('fail', 'fail', 'collect')
const join: fc.Arbitrary<Join> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Join>({ mode: 'all' }) },
  fc.constant<Join>({ mode: 'any' }),
  fc.integer({ min: 1, max: 3 }).map((count): Join => ({ mode: 'count', count })),
)
const test = fc.constantFrom('last.flag', 'n > 1', 'last.value > 0.5', 'last == null', 'n.no.such')

const { body } = fc.letrec<{ body: Body; piece: Piece }>((tie) => ({
  body: fc.record({
    pieces: fc.array(tie('piece'), { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom('none', 'none', 'named', 'implicit'),
  }),
  piece: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    {
      weight: 6,
      arbitrary: fc.record({
        mended,
        kind: fc.constant('task'),
        retries: fc.nat(2),
        undo: fc.boolean(),
        strict: fc.boolean(),
        shared: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        mended,
        kind: fc.constant('plain'),
        of: fc.constantFrom('review', 'wait', 'signal', 'message', 'transform'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ mended, kind: fc.constant('workflow'), wait: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        mended,
        kind: fc.constant('choice'),
        test,
        bodies: fc.array(tie('piece'), { minLength: 1, maxLength: 2 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        mended,
        kind: fc.constant('parallel'),
        bodies: fc.array(tie('body'), { minLength: 1, maxLength: 3 }),
        join,
        onFailure,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        mended,
        kind: fc.constant('map'),
        body: tie('body'),
        over: fc.constantFrom('none', 'one', 'four', 'four', 'many', 'n', 'n.no'),
        join,
        onFailure,
        concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        collect: fc.constantFrom(undefined, 'last', 'at', 'at.no'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        mended,
        kind: fc.constant('loop'),
        body: tie('body'),
        maxTurns: fc.integer({ min: 1, max: 3 }),
        until: fc.constantFrom(undefined, 'last.flag', 'turn > 0'),
        while: fc.constantFrom(undefined, 'turn < 2', 'n > 1'),
        onExhausted: fc.constantFrom('done', 'fail'),
      }),
    },
  ),
}))

/** Nested shapes, three deep at most. */
export const randomBodies: fc.Arbitrary<Body> = body

/** A shape as a definition for {@link RANDOM_INPUT}; ids are `n` with a number. */
export function definitionOf(top: Body): WorkflowDefinition {
  return new Builder().build(top)
}

const FAST: RetryPolicy = { maxAttempts: 2, initialDelayMs: 10, factor: 2, maxDelayMs: 100 }

class Builder {
  readonly #nodes: Record<NodeId, WorkflowNode> = {}
  readonly #edges: Edge[] = []
  #count = 0

  build(top: Body): WorkflowDefinition {
    const entry = this.#body(top, undefined)
    const outputs = Object.values(this.#nodes).flatMap((node) =>
      'output' in node && node.output !== undefined ? [node.output] : [],
    )
    const nodes = Object.entries(this.#nodes).map(([id, node]) => [id, seeing(node, outputs)] as const)
    return {
      format: 'tutti/1',
      name: 'random',
      entry,
      inputs: Object.keys(RANDOM_INPUT),
      order: Object.keys(this.#nodes),
      nodes: Object.fromEntries(nodes),
      edges: this.#edges,
      errorHandling: { retry: FAST, timeoutMs: 1_000 },
      schemas: { state: { last: { type: ['object', 'null'] } } },
    }
  }

  #id(): NodeId {
    this.#count += 1
    return `n${this.#count}`
  }

  #add(node: WorkflowNode): NodeId {
    this.#nodes[node.id] = node
    return node.id
  }

  #connect(from: NodeId, to: NodeId | undefined, on: EdgeTrigger = 'done', when?: string): void {
    if (to !== undefined) this.#edges.push({ from, to, on, ...(when === undefined ? {} : { when }) })
  }

  #body({ pieces, end }: Body, parent: NodeId | undefined): NodeId {
    let next: NodeId | undefined
    const within = parent === undefined ? {} : { parent }
    if (end === 'implicit') next = this.#add({ id: IMPLICIT_END, kind: 'end' })
    if (end === 'named') next = this.#add({ id: this.#id(), kind: 'end', ...within })
    for (const piece of pieces.toReversed()) next = this.#piece(piece, parent, next)
    if (next === undefined) throw new Error('A body has a piece.')
    return next
  }

  /** Adds a piece that leads to `next`; the answer is the node with which it begins. */
  #piece(piece: Piece, parent: NodeId | undefined, next: NodeId | undefined): NodeId {
    const base = { id: this.#id(), ...(parent === undefined ? {} : { parent }) }
    const { id } = base
    if (piece.mended) {
      const mend = this.#add(task({ id: this.#id(), ...(parent === undefined ? {} : { parent }) }, 0))
      this.#connect(id, mend, 'failed')
      this.#connect(mend, next)
    }
    if (piece.kind === 'choice') {
      const [first, second] = piece.bodies.map((one) => this.#piece(one, parent, next))
      this.#connect(id, first, 'done', piece.test)
      this.#connect(id, second ?? next, 'done')
      return this.#add({ ...base, kind: 'condition' })
    }
    this.#connect(id, next)
    switch (piece.kind) {
      case 'task': {
        const strict = piece.strict ? { outputSchema: { required: ['at'] } } : {}
        const undo = piece.undo ? { compensate: { agent: 'undoer' } } : {}
        const output = piece.shared ? { output: 'last' } : {}
        return this.#add({ ...task(base, piece.retries), ...strict, ...undo, ...output })
      }
      case 'workflow':
        return this.#add({
          ...base,
          kind: 'workflow',
          workflow: 'other',
          inputs: [],
          wait: piece.wait,
          timeoutMs: 9,
          output: `o${id}`,
        })
      case 'plain':
        return this.#plain(base, piece.of, next)
      case 'parallel': {
        const branches = piece.bodies.map((body, at) => ({ name: `b${at}`, entry: this.#body(body, id) }))
        const { onFailure: fails } = piece
        const enough: Join =
          piece.join.mode === 'count'
            ? { mode: 'count', count: Math.min(piece.join.count, branches.length) }
            : piece.join
        return this.#add({
          ...base,
          kind: 'parallel',
          branches,
          join: enough,
          onFailure: fails,
          output: `o${id}`,
        })
      }
      case 'map': {
        const { concurrency, collect } = piece
        // A long list within others would make tens of thousands of items.
        const over = piece.over === 'many' && parent !== undefined ? 'four' : piece.over
        const entry = this.#body(piece.body, id)
        return this.#add({
          ...base,
          kind: 'map',
          over,
          as: 'at',
          indexAs: 'index',
          entry,
          join: piece.join,
          onFailure: piece.onFailure,
          output: `o${id}`,
          maxItems: 200,
          ...(concurrency === undefined ? {} : { concurrency }),
          ...(collect === undefined ? {} : { collect }),
        })
      }
      case 'loop': {
        const { until, while: goes } = piece
        const entry = this.#body(piece.body, id)
        return this.#add({
          ...base,
          kind: 'loop',
          entry,
          maxTurns: piece.maxTurns,
          onExhausted: piece.onExhausted,
          indexAs: 'turn',
          ...(until === undefined ? {} : { until }),
          ...(goes === undefined ? {} : { while: goes }),
        })
      }
    }
  }

  #plain(base: { id: NodeId; parent?: NodeId }, of: string, next: NodeId | undefined): NodeId {
    const output = `o${base.id}`
    if (of === 'review') {
      this.#connect(base.id, next, 'approved')
      this.#connect(base.id, next, 'expired', 'n > 1')
      return this.#add({
        ...base,
        kind: 'review',
        role: 'r',
        question: 'q',
        inputs: [],
        output,
        deadlineMs: 9,
      })
    }
    if (of === 'wait') return this.#add({ ...base, kind: 'wait', for: { type: 'duration', ms: 5 } })
    if (of === 'signal')
      return this.#add({
        ...base,
        kind: 'wait',
        for: { type: 'signal', name: 's', schema: { type: 'object' } },
        timeoutMs: 9,
        output,
      })
    if (of === 'message')
      return this.#add({ ...base, kind: 'message', to: 'a', channel: 'c', body: '{"n": n}', output })
    const assign = [
      { name: `t${base.id}`, value: 'n + 1' },
      { name: 'last', value: `{"flag": t${base.id} > n, "value": 0.7}` },
    ]
    return this.#add({ ...base, kind: 'transform', assign })
  }
}

function task(base: { id: NodeId; parent?: NodeId }, retries: number): WorkflowNode & { kind: 'task' } {
  return {
    ...base,
    kind: 'task',
    agent: 'a',
    inputs: [],
    output: `o${base.id}`,
    retry: { ...FAST, maxAttempts: retries + 1 },
    timeoutMs: 1_000,
  }
}

/** Every task is given every name there is, so that one which leaks from elsewhere is seen. */
function seeing(node: WorkflowNode, outputs: readonly string[]): WorkflowNode {
  if (node.kind !== 'task') return node
  const names = [...outputs, 'at', 'index', 'turn']
  return { ...node, inputs: names.map((param) => ({ param, path: [param] })) }
}
