import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyGraph } from './any-document.ts'
import { compileCondition, readDefinition } from './index.ts'
import type { DefinitionProblem, WorkflowDefinition } from './index.ts'

const example = new URL('../../../../examples/content-creation/content-creation.yaml', import.meta.url)

function accepted(source: unknown): WorkflowDefinition {
  const result = readDefinition(source)
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2))
  return result.definition
}

function refused(source: unknown): readonly DefinitionProblem[] {
  const result = readDefinition(source)
  return result.ok ? [] : result.problems
}

const agents = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { agent: 'a' }]))
const graph = (names: string, edges: readonly unknown[], more: object = {}) => ({
  name: 'x',
  inputs: ['n'],
  entry_point: names.split(' ')[0],
  nodes: agents(...names.split(' ')),
  edges,
  ...more,
})
const ways = ({ edges }: WorkflowDefinition, from: string, on = 'done') =>
  edges
    .filter((edge) => edge.from === from && edge.on === on)
    .map(({ to, when }) => (when ? `${to} when ${when}` : to))

describe('the content-creation graph', () => {
  const definition = accepted(readFileSync(example, 'utf8'))

  it('goes from trends over content to its review, and to the schedule at last', () => {
    expect(definition).toMatchObject({ format: 'graph', entry: 'research_trends' })
    expect(definition.order).toEqual([
      'research_trends',
      'generate_content',
      'review_content',
      'human_review',
      'schedule_post',
    ])
    expect(ways(definition, 'research_trends')).toEqual(['generate_content'])
    expect(ways(definition, 'generate_content')).toEqual(['review_content'])
    expect(ways(definition, 'human_review', 'approved')).toEqual(['schedule_post'])
    expect(ways(definition, 'human_review', 'rejected')).toEqual(['end'])
    expect(ways(definition, 'schedule_post')).toEqual(['end'])
    expect(definition.nodes['human_review']).toMatchObject({ kind: 'review', role: 'approver' })
  })

  it.each([
    ['good', 0.8, 0.7, 'Spring is here', 'schedule_post'],
    ['weak', 0.79, 0.9, 'Spring is here', 'human_review'],
    ['off the brand', 0.9, 0.69, 'Spring is here', 'human_review'],
    ['sensitive', 0.9, 0.9, 'Politics in spring', 'human_review'],
  ])('asks a person about what is not good enough: %s', (_, quality_score, brand_alignment, text, step) => {
    const [first, second] = definition.edges.filter(({ from }) => from === 'review_content')
    const condition = compileCondition(first?.when ?? '')
    if (!condition.ok) throw new Error(condition.message)
    const names = { review: { quality_score, brand_alignment }, generated_content: { text } }
    const outcome = condition.condition.evaluate(names)
    expect(outcome.ok && (outcome.value ? first?.to : second?.to)).toBe(step)
    expect(second).toEqual({ from: 'review_content', to: 'schedule_post', on: 'done' })
  })
})

describe('nodes and edges', () => {
  it('put the entry first and keep the order otherwise', () => {
    const definition = accepted(
      graph(
        'a b c',
        [
          ['c', 'a'],
          ['a', 'b'],
        ],
        { entry_point: 'c' },
      ),
    )
    expect(definition).toMatchObject({ entry: 'c', order: ['c', 'a', 'b'] })
  })

  it.each([
    [
      'an edge from START',
      { entry_point: undefined },
      [
        ['START', 'a'],
        ['a', 'b'],
        ['b', 'END'],
      ],
    ],
    [
      'entry',
      { entry_point: undefined, entry: 'a' },
      [
        { from: 'a', to: 'b' },
        { from: 'b', to: '__end__' },
      ],
    ],
    [
      'a list of nodes',
      {
        nodes: [
          { name: 'a', agent: 'x' },
          { name: 'b', agent: 'x' },
        ],
      },
      [
        ['a', 'b'],
        ['b', 'end'],
      ],
    ],
  ])('may begin and be told with %s', (_, more, edges) => {
    const definition = accepted({ ...graph('a b', edges), ...more })
    expect(definition.entry).toBe('a')
    expect(ways(definition, 'a')).toEqual(['b'])
    expect(ways(definition, 'b')).toEqual(['end'])
  })

  it('take the edges with conditions first, and the one without for all other cases', () => {
    const edges = [['a', 'b'], { from: 'a', to: 'c', when: 'n > 1' }, { from: 'a', to: 'END', when: 'n < 0' }]
    expect(ways(accepted(graph('a b c', edges)), 'a')).toEqual(['c when n > 1', 'end when n < 0', 'b'])
  })

  it('take a path by the value of a condition', () => {
    const conditional_edges = [
      { from: 'a', condition: 'n.kind', paths: { refund: 'b', 7: 'c' }, default: 'END' },
      { from: 'b', condition: 'n.ok', paths: { False: 'c' } },
    ]
    const definition = accepted(graph('a b c', [], { conditional_edges }))
    expect(ways(definition, 'a')).toEqual(['c when (n.kind) == 7', 'b when (n.kind) == "refund"', 'end'])
    expect(ways(definition, 'b')).toEqual(['c when !(n.ok)'])
  })

  it('lead on from a failure, a rejection and a deadline', () => {
    const definition = accepted({
      ...graph('a b', [
        { from: 'a', to: 'ask' },
        { from: 'a', to: 'b', on: 'failed' },
        { from: 'ask', to: 'b', on: 'expired' },
        { from: 'ask', to: 'END', on: 'rejected' },
        { from: 'ask', to: 'b' },
      ]),
      nodes: { ...agents('a', 'b'), ask: { question: 'Ok?', deadline: '1d' } },
    })
    expect(ways(definition, 'a', 'failed')).toEqual(['b'])
    expect(ways(definition, 'ask', 'approved')).toEqual(['b'])
    expect(ways(definition, 'ask', 'expired')).toEqual(['b'])
  })

  it('hold steps with steps inside, which repeat where a way back could not', () => {
    const nodes = {
      a: {
        max_turns: 3,
        until: 'grade.ok',
        steps: [
          { name: 'try', agent: 'x' },
          { name: 'judge', agent: 'y', output: 'grade' },
        ],
      },
      b: { agent: 'x', input: 'grade' },
    }
    expect(accepted({ ...graph('a b', [['a', 'b']]), nodes }).nodes['judge']).toMatchObject({ parent: 'a' })
  })
})

describe('ways that part without a condition', () => {
  it('run side by side up to the step where all of them meet', () => {
    const definition = accepted(
      graph('a l l2 r d', [
        ['a', ['l', 'r']],
        ['l', 'l2'],
        ['l2', 'd'],
        ['r', 'd'],
        ['d', 'END'],
      ]),
    )
    expect(definition.order).toEqual(['a', 'a_branches', 'l', 'l2', 'r', 'd'])
    expect(definition.nodes['a_branches']).toEqual({
      id: 'a_branches',
      kind: 'parallel',
      branches: [
        { name: 'l', entry: 'l' },
        { name: 'r', entry: 'r' },
      ],
      join: { mode: 'all' },
      onFailure: 'fail',
    })
    expect(['l', 'l2', 'r'].map((id) => definition.nodes[id]?.parent)).toEqual(Array(3).fill('a_branches'))
    expect(definition.edges.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'a a_branches',
      'a_branches d',
      'l l2',
      'd end',
    ])
  })

  it('may part again inside, and be left early on a condition', () => {
    const definition = accepted(
      graph('a b c d e f g', [
        ['a', ['b', 'c']],
        ['b', ['d', 'e']],
        [['d', 'e'], 'f'],
        [['f', 'c'], 'g'],
        { from: 'c', to: 'g', when: 'n > 1' },
      ]),
    )
    expect(definition.nodes['b_branches']).toMatchObject({ kind: 'parallel', parent: 'a_branches' })
    expect(definition.nodes['f']).toMatchObject({ parent: 'a_branches' })
    expect(ways(definition, 'c')).toEqual(['end:a_branches when n > 1'])
    expect(definition.nodes['end:a_branches']).toEqual({
      id: 'end:a_branches',
      kind: 'end',
      parent: 'a_branches',
    })
  })

  it('may begin the graph, and need not meet when all of them end', () => {
    const definition = accepted({
      ...graph('a b', [
        ['START', ['a', 'b']],
        ['a', 'END'],
      ]),
      entry_point: undefined,
    })
    expect(definition.entry).toBe('start_branches')
    expect(ways(definition, 'start_branches')).toEqual([])
  })

  it.each([
    [
      'belong to two',
      'a b c d e',
      [
        ['a', ['b', 'c']],
        [
          ['b', 'c'],
          ['d', 'e'],
        ],
      ],
      'more than one',
    ],
    [
      'end early',
      'a b c d',
      [['a', ['b', 'c']], [['b', 'c'], 'd'], { from: 'c', to: 'END', when: 'n > 1' }],
      'may end',
    ],
    [
      'are entered from outside',
      'z a b c d',
      [{ from: 'z', to: 'b', when: 'n > 1' }, ['z', 'a'], ['a', ['b', 'c']], [['b', 'c'], 'd']],
      'leads into',
    ],
    [
      'are empty',
      'a b c',
      [
        ['a', ['b', 'c']],
        ['b', 'c'],
      ],
      'at once',
    ],
    ['end at once', 'a b', [['a', ['b', 'END']]], 'end'],
    ['are the same', 'a b', [['a', ['b', 'b']]], 'twice'],
  ])('are refused when they %s', (_, names, edges, message) => {
    expect(refused(graph(names, edges))).toContainEqual(
      expect.objectContaining({ code: 'crossing_branches', message: expect.stringContaining(message) }),
    )
  })

  it('keep every node, once, and no edge that leaves a body', () => {
    let joined = 0
    fc.assert(
      fc.property(anyGraph, (document) => {
        const result = readDefinition(document)
        if (!result.ok) {
          expect(new Set(result.problems.map(({ code }) => code))).toEqual(new Set(['crossing_branches']))
          return
        }
        const { nodes, edges, order } = result.definition
        const written = new Set(Object.keys(Object(document['nodes'])))
        const tasks = order.filter((id) => nodes[id]?.kind === 'task')
        expect(new Set(tasks)).toEqual(written)
        expect(tasks).toHaveLength(written.size)
        for (const { from, to } of edges) expect(nodes[from]?.parent).toBe(nodes[to]?.parent)
        if (order.length > tasks.length) joined += 1
      }),
      { numRuns: 500 },
    )
    expect(joined).toBeGreaterThan(100)
  })
})

describe('what is wrong with a graph', () => {
  it.each([
    [
      'a cycle',
      graph('a b', [
        ['a', 'b'],
        ['b', 'a'],
      ]),
      'cycle',
      /loop/,
    ],
    [
      'an edge from nowhere',
      graph('a b', [
        ['a', 'b'],
        ['c', 'b'],
      ]),
      'unknown_step',
      /Known: a, b/,
    ],
    ['an edge to nowhere', graph('alpha beta', [['alpha', 'betta']]), 'unknown_step', /"beta"/],
    [
      'an edge from the end',
      graph('a b', [
        ['a', 'b'],
        ['END', 'a'],
      ]),
      'unknown_step',
      /./,
    ],
    ['an entry that is none', graph('alpha', [], { entry_point: 'alpa' }), 'unknown_step', /"alpha"/],
    ['no entry', { ...graph('a b', [['a', 'b']]), entry_point: undefined }, 'missing_key', /entry_point/],
    [
      'two entries',
      graph('a b', [
        ['START', 'a'],
        ['a', 'b'],
      ]),
      'conflicting_keys',
      /one of them/,
    ],
    ['a node that nothing leads to', graph('a b', []), 'unreachable_step', /./],
    ['a node named as the end', graph('END', []), 'invalid_name', /another name/],
    [
      'a review without a way for a rejection',
      { ...graph('a', []), nodes: { a: { question: 'Ok?' } } },
      'missing_key',
      /on: rejected/,
    ],
    [
      'a choice without a condition',
      { ...graph('a b', [['a', 'b']]), nodes: { a: { type: 'condition' }, ...agents('b') } },
      'missing_key',
      /when/,
    ],
    [
      'an approval of an agent',
      graph('a b', [{ from: 'a', to: 'b', on: 'approved' }]),
      'wrong_type',
      /done, failed/,
    ],
    [
      'a condition on a failure',
      graph('a b', [{ from: 'a', to: 'b', on: 'failed', when: 'true' }, ['a', 'b']]),
      'conflicting_keys',
      /condition/,
    ],
    [
      'an edge with a condition that is none',
      graph('a b', [{ from: 'a', to: 'b', when: 'n >' }]),
      'invalid_expression',
      /CEL/,
    ],
    [
      'two defaults',
      graph('a b c', [['a', 'b']], {
        conditional_edges: [{ from: 'a', condition: 'n > 1', paths: { true: 'c', false: 'b' } }],
      }),
      'ambiguous_next',
      /without a condition/,
    ],
    [
      'a name that nothing produces',
      graph('a b', [{ from: 'a', to: 'b', when: 'm > 1' }]),
      'unknown_input',
      /./,
    ],
  ])('is told: %s', (_, document, code, hint) => {
    const problem = refused(document).find((candidate) => candidate.code === code)
    expect(problem, JSON.stringify(refused(document))).toBeDefined()
    expect(problem?.hint).toMatch(hint)
  })
})
