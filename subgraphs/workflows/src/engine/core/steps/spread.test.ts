import { describe, expect, it } from 'vitest'
import type { MapNode, ParallelNode, WorkflowNode } from '../../../definitions/index.ts'
import { advance } from '../index.ts'
import type { RunView, Transition } from '../index.ts'
import { playRun } from '../play-run.ts'
import type { Answer } from '../play-run.ts'
import type { MemoryTask } from '../run-in-memory.ts'
import { work, workflowOf } from '../workflow-of.ts'

const fan = (more: Partial<ParallelNode> = {}): ParallelNode => ({
  id: 'fan',
  kind: 'parallel',
  branches: [
    { name: 'left', entry: 'a' },
    { name: 'right', entry: 'b' },
  ],
  join: { mode: 'all' },
  onFailure: 'fail',
  output: 'both',
  ...more,
})
const each = (more: Partial<MapNode> = {}): MapNode => ({
  id: 'each',
  kind: 'map',
  over: 'xs',
  as: 'x',
  indexAs: 'i',
  entry: 'a',
  join: { mode: 'all' },
  onFailure: 'fail',
  output: 'all',
  maxItems: 1_000,
  ...more,
})
const parallel = (more: Partial<ParallelNode> = {}, rest: WorkflowNode[] = []) =>
  workflowOf([fan(more), work('a', { parent: 'fan' }), work('b', { parent: 'fan' }), ...rest])
const map = (more: Partial<MapNode> = {}) =>
  workflowOf([each(more), work('a', { parent: 'each', inputs: [{ param: 'x', path: ['x'] }] })])
const pathIs =
  (answers: Record<string, Answer>) =>
  ({ created: { path } }: MemoryTask): Answer =>
    answers[path] ?? { output: path }

describe('branches', () => {
  it('run side by side, and their results and names enter the state at the join', () => {
    const run = playRun(parallel(), {}, pathIs({}))
    expect([...run.tasks.keys()]).toEqual(['fan', 'fan[left]/a', 'fan[right]/b'])
    expect(run.output).toEqual({
      outputs: { a: 'fan[left]/a', b: 'fan[right]/b', both: { left: 'fan[left]/a', right: 'fan[right]/b' } },
      terminal: 'fan',
      fallback: false,
    })
  })

  it('begin with their first tasks in the same call', () => {
    const view: RunView = { status: 'queued', input: {}, strand: { path: '', state: {}, outer: [] } }
    expect(advance(parallel(), view, { type: 'run_started' })).toMatchObject([
      { type: 'create_task', kind: 'parallel', status: 'waiting', path: 'fan' },
      {
        type: 'start_strands',
        needed: 2,
        failFast: true,
        strands: [
          { key: 'left', path: 'fan[left]/', transitions: [{ type: 'create_task', path: 'fan[left]/a' }] },
          { key: 'right', path: 'fan[right]/', transitions: [{ type: 'create_task', path: 'fan[right]/b' }] },
        ],
      },
    ])
  })

  it('that wrote the same name are merged in their order, whoever came last', () => {
    const definition = workflowOf([
      fan(),
      work('a', { parent: 'fan', output: 'same' }),
      work('b', { parent: 'fan', output: 'same' }),
    ])
    let asked = 0
    const run = playRun(definition, {}, ({ created }) => {
      asked += 1
      // The first branch answers after the second.
      return created.node === 'a' && asked === 1 ? 'wait' : { output: created.node }
    })
    expect(run.output?.outputs['same']).toBe('b')
  })

  it('of which one is enough, cancel the rest', () => {
    const run = playRun(parallel({ join: { mode: 'any' } }), {}, pathIs({ 'fan[left]/a': 'wait' }))
    expect(run.output?.outputs).toEqual({ b: 'fan[right]/b', both: { right: 'fan[right]/b' } })
    expect(run.tasks.get('fan[left]/a')?.status).toBe('cancelled')
  })

  it('of which one fails, fail the step at once, which names the step inside', () => {
    const run = playRun(
      parallel(),
      {},
      pathIs({ 'fan[left]/a': 'wait', 'fan[right]/b': { error: 'NO_MONEY' } }),
    )
    expect(run.error).toEqual({ node: 'b', code: 'NO_MONEY', message: 'NO_MONEY' })
    expect(run.tasks.get('fan')).toMatchObject({ status: 'failed', error: { code: 'NO_MONEY' } })
    expect(run.tasks.get('fan[left]/a')?.status).toBe('cancelled')
  })

  it('that fail count as results where they are collected', () => {
    const run = playRun(parallel({ onFailure: 'collect' }), {}, pathIs({ 'fan[left]/a': { error: 'NO' } }))
    expect(run.output?.outputs['both']).toEqual({
      left: { error: { node: 'a', code: 'NO', message: 'NO' } },
      right: 'fan[right]/b',
    })
  })

  it('of which too many fail for the join end it with the first failure, even if they are collected', () => {
    const two = parallel({ onFailure: 'collect', join: { mode: 'count', count: 2 } })
    const run = playRun(two, {}, pathIs({ 'fan[left]/a': { error: 'FIRST' } }))
    expect(run.error).toMatchObject({ node: 'a', code: 'FIRST' })
    expect(run.tasks.get('fan[right]/b')?.status).toBe('completed')
  })

  it('may be empty, and an edge to the end ends them', () => {
    const definition = workflowOf(
      [
        fan(),
        { id: 'a', kind: 'condition', parent: 'fan' },
        work('b', { parent: 'fan' }),
        { id: 'end', kind: 'end' },
        work('after'),
      ],
      [
        ['a', 'end'],
        ['fan', 'after'],
      ],
    )
    const run = playRun(definition, {}, pathIs({}))
    expect(run.output?.outputs).toEqual({
      b: 'fan[right]/b',
      both: { left: null, right: 'fan[right]/b' },
      after: 'after',
    })
  })

  it("go on by the failed edge of their own step, by the step's otherwise", () => {
    const definition = workflowOf(
      [
        fan(),
        work('a', { parent: 'fan' }),
        work('b', { parent: 'fan' }),
        work('mend', { parent: 'fan' }),
        work('after'),
      ],
      [
        ['a', 'mend', 'failed'],
        ['fan', 'after', 'failed'],
      ],
    )
    const mended = playRun(definition, {}, pathIs({ 'fan[left]/a': { error: 'NO' } }))
    expect(mended.output).toMatchObject({ fallback: false, outputs: { both: { left: 'fan[left]/mend' } } })
    const failed = playRun(definition, {}, pathIs({ 'fan[right]/b': { error: 'NO' } }))
    expect(failed.output).toMatchObject({
      terminal: 'after',
      fallback: true,
      fallbackReason: { node: 'b', code: 'NO' },
    })
  })
})

describe('items', () => {
  const input = { xs: ['p', 'q', 'r'] }

  it('each have their value and number, and give their results in order', () => {
    const run = playRun(map(), input, ({ created }) => ({ output: { of: created.input['x'] } }))
    expect(run.output?.outputs).toEqual({ all: [{ of: 'p' }, { of: 'q' }, { of: 'r' }] })
    expect(run.tasks.get('each[1]/a')?.created.input).toEqual({ x: 'q' })
  })

  it('give what collect makes of their names', () => {
    const run = playRun(map({ collect: '{"x": x, "i": i, "a": a, "all": size(xs)}' }), input, () => ({
      output: 7,
    }))
    expect(run.output?.outputs['all']).toEqual([
      { x: 'p', i: 0, a: 7, all: 3 },
      { x: 'q', i: 1, a: 7, all: 3 },
      { x: 'r', i: 2, a: 7, all: 3 },
    ])
  })

  it('whose result cannot be collected fail', () => {
    const run = playRun(map({ collect: 'a.b' }), input, () => ({ output: 7 }))
    expect(run.error).toMatchObject({ node: 'each', code: 'EXPRESSION_FAILED' })
  })

  it('have null for those not waited for, and the error of those that failed', () => {
    const some = map({ join: { mode: 'count', count: 1 }, onFailure: 'collect' })
    const answers: Record<string, Answer> = { 'each[0]/a': { error: 'NO' }, 'each[2]/a': 'wait' }
    const run = playRun(some, input, pathIs(answers))
    expect(run.output?.outputs['all']).toEqual([
      { error: { node: 'a', code: 'NO', message: 'NO' } },
      'each[1]/a',
      null,
    ])
  })

  it('of an empty list are done at once', () => {
    const run = playRun(map(), { xs: [] }, pathIs({}))
    expect(run.output?.outputs).toEqual({ all: [] })
    expect(run.tasks.size).toBe(0)
  })

  it.each<[string, unknown, Partial<MapNode>, string]>([
    ['no list', 'abc', {}, 'INVALID_LIST'],
    ['nothing', null, {}, 'INVALID_LIST'],
    ['too long a list', [1, 2, 3], { maxItems: 2 }, 'INVALID_LIST'],
    ['fewer items than must arrive', [1, 2], { join: { mode: 'count', count: 3 } }, 'JOIN_UNMET'],
    ['no item where one must arrive', [], { join: { mode: 'any' } }, 'JOIN_UNMET'],
    ['a list that cannot be evaluated', 3, { over: 'xs.of.nothing' }, 'EXPRESSION_FAILED'],
  ])('of %s fail the step before it begins', (_, xs, more, code) => {
    const run = playRun(map(more), { xs }, pathIs({}))
    expect(run.error).toMatchObject({ node: 'each', code })
    expect(run.tasks.size).toBe(0)
    expect(run.transitions[0]).toMatchObject({ type: 'record_choice', node: 'each', error: { code } })
  })

  it('begin by claims of their own when they are many, or bounded', () => {
    const strandsOf = (more: Partial<MapNode>, count: number): Transition | undefined => {
      const xs = Array.from({ length: count }, (_, at) => at)
      const view: RunView = { status: 'queued', input: { xs }, strand: { path: '', state: {}, outer: [] } }
      return advance(map(more), view, { type: 'run_started' })[1]
    }
    const begun = (transition: Transition | undefined) =>
      transition?.type === 'start_strands' && transition.strands.filter((strand) => strand.transitions).length
    expect(begun(strandsOf({}, 128))).toBe(128)
    expect(begun(strandsOf({}, 129))).toBe(0)
    expect(begun(strandsOf({ concurrency: 5 }, 5))).toBe(5)
    const bounded = strandsOf({ concurrency: 5 }, 6)
    expect(begun(bounded)).toBe(0)
    expect(bounded).toMatchObject({ concurrency: 5, strands: { 5: { key: '5', state: { x: 5, i: 5 } } } })
  })

  it('see the names around them, and keep their own to themselves', () => {
    const definition = workflowOf(
      [
        work('before'),
        each(),
        work('a', { parent: 'each', output: 'mine', inputs: [{ param: 'before', path: ['before'] }] }),
        work('c', { parent: 'each', inputs: [{ param: 'mine', path: ['mine'] }] }),
        work('after', {
          inputs: [
            { param: 'mine', path: ['mine'] },
            { param: 'x', path: ['x'] },
          ],
        }),
      ],
      [
        ['before', 'each'],
        ['a', 'c'],
        ['each', 'after'],
      ],
    )
    const run = playRun(definition, input, pathIs({}))
    expect(run.tasks.get('each[2]/a')?.created.input).toEqual({ before: 'before' })
    expect(run.tasks.get('each[2]/c')?.created.input).toEqual({ mine: 'each[2]/a' })
    expect(run.tasks.get('after')?.created.input).toEqual({ mine: null, x: null })
    expect(run.output?.outputs).toEqual({
      before: 'before',
      all: ['each[0]/c', 'each[1]/c', 'each[2]/c'],
      after: 'after',
    })
  })
})

it('a join that hears of children too early, or twice, changes nothing', () => {
  const view: RunView = {
    status: 'running',
    input: {},
    strand: { path: '', state: {}, outer: [] },
    task: { status: 'waiting', attempt: 1, path: 'fan' },
  }
  const early = { type: 'children_done', node: 'fan', arrivals: [{ ok: true, value: 1 }, null] } as const
  expect(advance(parallel(), view, early)).toEqual([])
  const whole = {
    ...early,
    arrivals: [
      { ok: true, value: 1 },
      { ok: true, value: 2 },
    ],
  } as const
  expect(advance(parallel(), view, whole)).not.toEqual([])
  const over = { ...view, task: { status: 'completed', attempt: 1, path: 'fan' } } as const
  expect(advance(parallel(), over, whole)).toEqual([])
})
