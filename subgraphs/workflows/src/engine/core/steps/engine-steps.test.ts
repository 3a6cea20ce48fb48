import { describe, expect, it } from 'vitest'
import type { SubworkflowNode, WorkflowDefinition, WorkflowNode } from '../../../definitions/index.ts'
import { advance, checkInput } from '../index.ts'
import type { CoreEvent, RunView } from '../index.ts'
import { playRun } from '../play-run.ts'
import { work, workflowOf } from '../workflow-of.ts'

const queued = (input: Record<string, unknown> = {}): RunView => ({
  status: 'queued',
  input,
  strand: { path: '', state: {}, outer: [] },
})
const begin = (node: WorkflowNode, input?: Record<string, unknown>, more: Partial<WorkflowDefinition> = {}) =>
  advance(workflowOf([node], [], more), queued(input), { type: 'run_started' })

describe('a sub-workflow', () => {
  const node: SubworkflowNode = {
    id: 'sub',
    kind: 'workflow',
    workflow: 'other',
    version: 3,
    inputs: [{ param: 'n', value: 'n * 2' }],
    wait: true,
    output: 'theirs',
    timeoutMs: 60_000,
  }
  const end = (definition: SubworkflowNode, event: CoreEvent) =>
    advance(
      workflowOf([definition]),
      { ...queued(), status: 'waiting', task: { status: 'waiting', attempt: 1, path: 'sub' } },
      event,
    )
  const ended = { type: 'child_run_ended', node: 'sub', output: {} } as const

  it('is started with its input, and waited for so long', () => {
    expect(begin(node, { n: 2 })).toMatchObject([
      {
        kind: 'workflow',
        status: 'waiting',
        workflow: 'other',
        version: 3,
        input: { n: 4 },
        wait: true,
        wakeAfterMs: 60_000,
      },
    ])
  })

  it('gives its outputs', () => {
    expect(end(node, { ...ended, status: 'completed', output: { x: 1 } })).toMatchObject([
      { type: 'settle_task', status: 'completed', output: { x: 1 } },
      { type: 'write_state', name: 'theirs', value: { x: 1 } },
      { type: 'complete_run' },
    ])
  })

  it('that fails, is cancelled, or does not end in time fails the step', () => {
    const error = { code: 'BROKEN', message: 'b' }
    expect(end(node, { ...ended, status: 'failed', error })[0]).toMatchObject({ status: 'failed', error })
    expect(end(node, { ...ended, status: 'failed' })[0]).toMatchObject({
      error: { code: 'SUBWORKFLOW_FAILED' },
    })
    expect(end(node, { ...ended, status: 'cancelled' })[0]).toMatchObject({
      error: { code: 'SUBWORKFLOW_CANCELLED' },
    })
    expect(end(node, { type: 'wait_expired', node: 'sub' })).toMatchObject([
      { type: 'settle_task', status: 'failed', error: { code: 'SUBWORKFLOW_TIMED_OUT' } },
      { type: 'cancel_children', path: 'sub' },
      { type: 'fail_run' },
    ])
  })

  it('that is left alone gives the run it became, and its end is of no interest', () => {
    const alone = { ...node, wait: false }
    expect(begin(alone, { n: 1 })).not.toMatchObject([{ wakeAfterMs: 60_000 }])
    expect(end(alone, { type: 'wait_over', node: 'sub', payload: { runId: 'r' } })[1]).toMatchObject({
      name: 'theirs',
      value: { runId: 'r' },
    })
    expect(end(alone, { ...ended, status: 'completed' })).toEqual([])
    expect(end(alone, { ...ended, status: 'failed' })[0]).toMatchObject({ status: 'failed' })
    expect(end(node, { type: 'wait_over', node: 'sub' })).toEqual([])
  })
})

describe('a message', () => {
  const node: WorkflowNode = {
    id: 'tell',
    kind: 'message',
    to: 'ada',
    channel: 'inbox',
    body: '{"n": n}',
    output: 'told',
  }

  it("is sent by a worker under the workflow's policy", () => {
    const retry = { maxAttempts: 5, initialDelayMs: 1, factor: 1, maxDelayMs: 1 }
    expect(begin(node, { n: 1 }, { errorHandling: { retry, timeoutMs: 7 } })).toMatchObject([
      {
        kind: 'message',
        status: 'ready',
        to: 'ada',
        channel: 'inbox',
        input: { body: { n: 1 } },
        timeoutMs: 7,
        maxAttempts: 5,
      },
    ])
    expect(playRun(workflowOf([node]), { n: 1 }, () => ({ output: 'id' })).output?.outputs).toEqual({
      told: 'id',
    })
    expect(playRun(workflowOf([node]), { n: 1 }, () => ({ error: 'GONE' })).error).toMatchObject({
      code: 'GONE',
    })
  })
})

describe('a transform', () => {
  const transform = (...assign: { name: string; value: string }[]): WorkflowNode => ({
    id: 't',
    kind: 'transform',
    assign,
  })
  const both = transform(
    { name: 'a', value: 'n + 1' },
    { name: 'b', value: '{"twice": a * 2, "at": timestamp(at)}' },
  )

  it('gives names values in order, as plain JSON', () => {
    expect(begin(both, { n: 1, at: '2027-01-01T00:00:00Z' })).toEqual([
      { type: 'write_state', name: 'a', value: 2 },
      { type: 'write_state', name: 'b', value: { twice: 4, at: '2027-01-01T00:00:00.000Z' } },
      {
        type: 'complete_run',
        output: {
          outputs: { a: 2, b: { twice: 4, at: '2027-01-01T00:00:00.000Z' } },
          terminal: 't',
          fallback: false,
        },
      },
    ])
  })

  it('that fails writes nothing', () => {
    expect(begin(both, { n: 1, at: 'soon' })).toMatchObject([
      { type: 'record_choice', node: 't', error: { code: 'EXPRESSION_FAILED' } },
      { type: 'fail_run', error: { node: 't', code: 'EXPRESSION_FAILED' } },
    ])
    const schemas = { state: { b: { type: 'string' } } }
    expect(begin(both, { n: 1, at: '2027-01-01T00:00:00Z' }, { schemas })).toMatchObject([
      {
        type: 'record_choice',
        error: { code: 'OUTPUT_INVALID', message: '"b" does not fit its schema: must be string.' },
      },
      { type: 'fail_run' },
    ])
  })

  it('sees what steps and payload brought, the nearest first', () => {
    const definition = workflowOf([work('n'), transform({ name: 'm', value: 'n' })], [['n', 't']])
    expect(playRun(definition, { n: 'payload' }, () => ({ output: 'step' })).output?.outputs['m']).toBe(
      'step',
    )
  })
})

it('an end has its name in the result, in a body as at the top', () => {
  const definition = workflowOf(
    [
      { id: 'again', kind: 'loop', entry: 'look', maxTurns: 2, onExhausted: 'done' },
      { id: 'look', kind: 'condition', parent: 'again' },
      { id: 'enough', kind: 'end', parent: 'again' },
      work('more', { parent: 'again' }),
      { id: 'done', kind: 'end' },
    ],
    [
      ['look', 'enough', 'done', 'more != null'],
      ['look', 'more'],
      ['again', 'done'],
    ],
  )
  const run = playRun(definition, {}, () => ({ output: 1 }))
  expect([...run.tasks.keys()]).toEqual(['again[0]/more'])
  expect(run.output?.terminal).toBe('done')
})

it("a trigger's payload is checked by the workflow's input schema", () => {
  const definition = workflowOf([work('a')], [], {
    schemas: { input: { required: ['n'], properties: { n: { minimum: 1 } } } },
  })
  expect(checkInput(definition, { n: 1 })).toEqual([])
  expect(checkInput(definition, { n: 0 })).toEqual([{ path: 'n', message: 'must be >= 1' }])
  expect(checkInput(workflowOf([work('a')]), { any: 1 })).toEqual([])
})

it('a call on a large state costs what it writes', () => {
  // Reading it would be an exception.
  const state = new Proxy<Record<string, unknown>>(
    {},
    {
      ownKeys: () => {
        throw new Error('The whole state is read.')
      },
    },
  )
  const definition = workflowOf(
    [work('a'), work('b', { inputs: [{ param: 'a', path: ['a'] }] })],
    [['a', 'b', 'done', 'a == 1']],
  )
  const view: RunView = {
    status: 'running',
    input: {},
    strand: { path: '', state, outer: [state] },
    task: { status: 'running', attempt: 1, path: 'a' },
  }
  const event: CoreEvent = { type: 'task_succeeded', node: 'a', attempt: 1, output: 1 }
  expect(advance(definition, view, event).at(-1)).toMatchObject({ node: 'b', input: { a: 1 } })
})
