import { describe, expect, it } from 'vitest'
import { retryDelay } from '../engine/core/index.ts'
import { TuttiError } from '@tutti/schema'
import type { TestResult } from './test-result.ts'
import { testWorkflow } from './test-workflow.ts'
import type { TestWorkflowOptions } from './test-workflow.ts'

const DAY = 86_400_000

const flow = (steps: string, name = 'flow'): string => `format: tutti/1\nname: ${name}\n${steps}`
const play = (steps: string, options: TestWorkflowOptions = {}): Promise<TestResult> =>
  testWorkflow(flow(steps), { echo: true, ...options })

const happened = ({ trace }: TestResult, path: string): [event: string, afterMs: number][] =>
  trace.filter((entry) => entry.path === path).map(({ event, afterMs }) => [event, afterMs])
const outputsOf = ({ output }: TestResult) => output?.outputs

/** The mistakes that a test is refused for, as paths. */
async function refusal(test: Promise<unknown>): Promise<[string, (string | undefined)[]]> {
  const error = await test.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof TuttiError)) throw new Error('It was not refused.')
  return [error.code, error.problems.map(({ path }) => path)]
}

describe('waits', () => {
  it('of 30 days are over at once, at the virtual time', async () => {
    const result = await play(`
steps:
  - { name: welcome, agent: mailer, output: first }
  - { name: rest, type: wait, for: 30d }
  - { name: remind, agent: mailer, output: second }
`)
    expect(result).toMatchObject({ status: 'completed', durationMs: 30 * DAY, problems: [], waitsFor: [] })
    expect(result.endedAt).toBe('2026-01-31T00:00:00.000Z')
    expect(happened(result, 'rest')).toEqual([
      ['task_waiting', 0],
      ['task_completed', 30 * DAY],
    ])
  })

  it('until a time end then, or at once when it has passed', async () => {
    const steps = `
inputs: [at]
steps:
  - { name: rest, type: wait, until: at }
`
    const startAt = '2026-03-01T00:00:00Z'
    const later = await play(steps, { startAt, input: { at: '2026-03-03T00:00:00+00:00' } })
    expect(later).toMatchObject({ status: 'completed', durationMs: 2 * DAY })
    const past = await play(steps, { startAt, input: { at: '2020-01-01' } })
    expect(past).toMatchObject({ status: 'completed', durationMs: 0 })
  })

  const SIGNAL = `
steps:
  - { name: paid, type: wait, signal: payment, timeout: 10d, output: payment, if_expired: dun }
  - { name: thank, agent: mailer, next: end }
  - { name: dun, agent: mailer, output: dunned }
`
  it('for a signal end when it is sent, whenever that was, or expire', async () => {
    const sent = await play(SIGNAL, { signals: [{ name: 'payment', payload: { eur: 5 }, at: '3d' }] })
    expect(sent).toMatchObject({ status: 'completed', durationMs: 3 * DAY })
    expect(outputsOf(sent)).toMatchObject({ payment: { eur: 5 } })
    const there = await play(SIGNAL, { signals: [{ name: 'payment', payload: 1 }] })
    expect(there).toMatchObject({ status: 'completed', durationMs: 0 })
    const late = await play(SIGNAL, { signals: [{ name: 'payment', at: '2026-01-20T00:00:00Z' }] })
    expect(late).toMatchObject({ status: 'completed', durationMs: 10 * DAY })
    expect(outputsOf(late)).toHaveProperty('dunned')
  })

  it('for signals take one each, the first wait the oldest', async () => {
    const result = await play(
      `
steps:
  - { name: one, type: wait, signal: go, output: a }
  - { name: two, type: wait, signal: go, output: b }
`,
      {
        signals: [
          { name: 'go', payload: 'late', at: '2h' },
          { name: 'go', payload: 'early', at: '1h' },
        ],
      },
    )
    expect(outputsOf(result)).toEqual({ a: 'early', b: 'late' })
    expect(result.durationMs).toBe(2 * 3_600_000)
  })

  it('for an event end at one that the filter takes, and only if they had begun', async () => {
    const steps = `
inputs: [order]
steps:
  - { name: rest, type: wait, for: 1d }
  - { name: paid, type: wait, event: order.paid, filter: event.data.order == order, output: paid }
`
    const order = (at: string | undefined, number: number) => ({
      type: 'order.paid',
      data: { order: number },
      ...(at === undefined ? {} : { at }),
    })
    const input = { order: 7 }
    const events = [order('12h', 7), order('2d', 8), order('3d', 7)]
    const timed = await play(steps, { input, events })
    expect(timed).toMatchObject({ status: 'completed', durationMs: 3 * DAY })
    expect(outputsOf(timed)).toMatchObject({
      paid: { type: 'order.paid', data: { order: 7 }, source: 'test' },
    })
    const asked = await play(steps, { input, events: [order(undefined, 8), order(undefined, 7)] })
    expect(asked).toMatchObject({ status: 'completed', durationMs: DAY })
    const never = await play(steps, { input, events: [order('12h', 7)] })
    expect(never).toMatchObject({
      status: 'waiting',
      waitsFor: [{ path: 'paid', kind: 'event', name: 'order.paid', workflow: 'flow' }],
    })
  })
})

describe('reviews', () => {
  const REVIEW = `
steps:
  - name: again
    type: loop
    until: checked.outcome == "approve"
    max_turns: 5
    steps:
      - { name: write, agent: writer, output: draft }
      - { name: check, type: review, role: approver, question: "Good?", deadline: 2d, output: checked, if_rejected: [], if_expired: end }
`
  it('are decided in order along the strand, the last decision again and again', async () => {
    const result = await play(REVIEW, {
      decisions: [
        { step: 'check', outcome: 'reject', comment: 'Shorter.', after: '1h' },
        { step: 'check', outcome: 'approve', by: 'ada', after: '3h' },
      ],
    })
    expect(outputsOf(result)).toMatchObject({ checked: { outcome: 'approve', by: 'ada', comment: null } })
    expect(result.durationMs).toBe(4 * 3_600_000)
  })

  it('wait for a decision that the test does not have, or expire at their deadline', async () => {
    const open = await play(`
steps:
  - { name: check, type: review, role: approver, question: "Good?", if_rejected: end }
`)
    expect(open).toMatchObject({
      status: 'waiting',
      waitsFor: [{ path: 'check', kind: 'review', name: 'approver' }],
    })
    const expired = await play(
      `
steps:
  - { name: check, type: review, role: approver, question: "Good?", deadline: 2d, if_rejected: end }
`,
      { decisions: [{ step: 'check', outcome: 'approve', after: '3d' }] },
    )
    expect(expired).toMatchObject({
      status: 'failed',
      durationMs: 2 * DAY,
      error: { code: 'REVIEW_EXPIRED' },
    })
  })
})

describe('agents', () => {
  const WORK = `
inputs: [text]
steps:
  - name: write
    agent: writer
    input: text
    output: draft
    timeout: 10m
    retry: { attempts: 4, delay: 1m, factor: 2, max_delay: 1h, jitter: 0 }
  - { name: check, capability: proofreading, input: draft, output: checked }
`
  const input = { text: 'hello' }
  const seed = 'test'

  it('answer as their mocks say: a constant, or CEL over their input', async () => {
    const result = await play(WORK, {
      input,
      echo: false,
      mocks: [
        { agent: 'writer', expression: '{"text": input.text + "!", "path": path, "attempt": attempt}' },
        { capability: 'proofreading', output: null },
      ],
    })
    expect(outputsOf(result)).toEqual({ draft: { text: 'hello!', path: 'write', attempt: 1 }, checked: null })
  })

  it('fail and succeed in turn, with the delays that the engine has', async () => {
    const error = { code: 'BUSY', retryable: true }
    const result = await play(WORK, {
      input,
      mocks: [{ step: 'write', outcomes: [{ error, latency: '5s' }, { error }, { output: 'done' }] }],
    })
    expect(outputsOf(result)).toMatchObject({ draft: 'done' })
    const policy = { maxAttempts: 4, initialDelayMs: 60_000, factor: 2, maxDelayMs: 60_000_000, jitter: 0 }
    const [first, second] = [2, 3].map((attempt) => retryDelay(policy, `${seed}/write`, attempt))
    expect([first, second]).toEqual([60_000, 120_000])
    expect(happened(result, 'write').filter(([event]) => event === 'task_started')).toEqual([
      ['task_started', 0],
      ['task_started', 5_000 + 60_000],
      ['task_started', 5_000 + 60_000 + 120_000],
    ])
  })

  it('that take longer than their step may, time out', async () => {
    const result = await play(WORK, { input, mocks: [{ agent: 'writer', output: 1, latency: '1h' }] })
    expect(result).toMatchObject({ status: 'failed', error: { node: 'write', code: 'STEP_TIMED_OUT' } })
    // Four attempts of ten minutes, and three delays between them.
    expect(result.durationMs).toBe((4 * 10 + 1 + 2 + 4) * 60_000)
  })

  it('without a mock are named, all that can be reached, and their steps wait', async () => {
    const steps = `
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: a, agent: one }]
      right: [{ name: b, capability: two }]
  - { name: c, agent: three }
`
    const result = await play(steps, { echo: false })
    expect(result.status).toBe('running')
    expect(result.problems.map(({ code, path }) => [code, path])).toEqual([
      ['MOCK_MISSING', 'both[left]/a'],
      ['MOCK_MISSING', 'both[right]/b'],
    ])
    expect(result.problems[0]?.message).toContain('"a" of "flow"')
    expect(result.waitsFor.map(({ kind, name }) => [kind, name])).toEqual([
      ['mock', 'one'],
      ['mock', 'two'],
    ])
  })

  it('whose mock cannot be evaluated fail, and the test says so', async () => {
    const result = await play(WORK, { input, mocks: [{ agent: 'writer', expression: 'input.text.nothing' }] })
    expect(result).toMatchObject({ status: 'failed', error: { code: 'MOCK_FAILED' } })
    expect(result.problems).toMatchObject([{ code: 'MOCK_FAILED', path: 'write' }])
  })

  it('are counted along each strand: items for themselves, turns one after the other', async () => {
    const result = await play(
      `
inputs: [items]
steps:
  - name: each
    type: map
    over: items
    as: item
    output: results
    concurrency: 2
    steps:
      - name: again
        type: loop
        until: score == 2.0
        max_turns: 5
        steps:
          - { name: rate, agent: judge, input: item, output: score }
`,
      {
        input: { items: ['a', 'b', 'c'] },
        mocks: [{ step: 'each[*]/rate', expression: 'double(call)', latency: '1s' }],
      },
    )
    expect(outputsOf(result)?.['results']).toEqual([2, 2, 2])
    // Two at once: the third begins when the first is done.
    expect(result.durationMs).toBe(4_000)
  })
})

describe('shapes', () => {
  it('any: the first branch is enough, and the others are cancelled', async () => {
    const result = await play(
      `
steps:
  - name: race
    type: parallel
    join: any
    output: winner
    branches:
      slow: [{ name: lazy, agent: worker }]
      fast: [{ name: quick, agent: worker }]
`,
      {
        mocks: [
          { step: 'lazy', output: 1, latency: '2s' },
          { step: 'quick', output: 2, latency: '1s' },
        ],
      },
    )
    expect(outputsOf(result)).toEqual({ winner: { fast: 2 } })
    expect(result.durationMs).toBe(1_000)
    expect(happened(result, 'race[slow]/lazy').at(-1)).toEqual(['task_cancelled', 1_000])
  })

  it('conditions, transforms and messages are in the trace', async () => {
    const result = await play(
      `
inputs: [score]
steps:
  - { name: choose, type: condition, branches: [{ when: score > 0.5, next: double }], default: tell }
  - { name: double, type: transform, set: { twice: "score * 2" } }
  - { name: tell, type: message, to: editor, channel: desk, body: '="It is " + string(score)', output: sent }
`,
      { input: { score: 0.75 } },
    )
    expect(result.status).toBe('completed')
    expect(result.messages).toMatchObject([
      { path: 'tell', to: 'editor', channel: 'desk', body: 'It is 0.75' },
    ])
    expect(result.trace.map(({ event, path, details }) => [event, path, details])).toEqual([
      ['run_started', '', undefined],
      ['choice_made', 'choose', { to: 'double' }],
      ['state_written', '', { name: 'twice' }],
      ['task_started', 'tell', {}],
      ['message_sent', 'tell', { to: 'editor', channel: 'desk' }],
      ['task_completed', 'tell', undefined],
      ['run_completed', '', undefined],
    ])
  })

  it('what completed is undone in reverse when the run fails', async () => {
    const result = await play(
      `
steps:
  - { name: book, agent: worker, output: booking, compensate: { agent: undoer } }
  - { name: pay, agent: worker, output: payment, compensate: { agent: undoer } }
  - { name: ship, agent: worker }
`,
      {
        echo: false,
        mocks: [
          { step: 'ship', error: { code: 'LOST' } },
          { agent: 'worker', output: 1 },
          { agent: 'undoer', expression: 'input' },
        ],
      },
    )
    expect(result).toMatchObject({ status: 'failed', error: { node: 'ship', code: 'LOST' }, problems: [] })
    const undone = result.trace.filter(
      ({ event, path }) => event === 'task_completed' && path.endsWith('~undo'),
    )
    expect(undone.map(({ path, output }) => [path, output])).toEqual([
      ['pay~undo', { $output: 1 }],
      ['book~undo', { $output: 1 }],
    ])
  })

  it('collected failures, empty lists and named ends', async () => {
    const result = await play(
      `
inputs: [items]
steps:
  - name: each
    type: map
    over: items
    as: item
    output: results
    on_failure: collect
    steps: [{ name: work, agent: worker, input: item }]
  - { name: none, type: map, over: "[]", as: x, output: nothing, steps: [{ name: idle, agent: worker }] }
`,
      {
        input: { items: [1, 2] },
        mocks: [{ step: 'each[1]/work', error: { code: 'BROKEN', message: 'no' } }],
      },
    )
    expect(outputsOf(result)).toMatchObject({
      results: [{ item: 1 }, { error: { code: 'BROKEN', message: 'no' } }],
      nothing: [],
    })
  })
})

describe('sub-workflows', () => {
  const CALL = `
inputs: [n]
steps:
  - { name: call, type: workflow, workflow: child, input: n, output: answer, timeout: 5d }
`
  const child = flow(
    `
inputs: [n]
steps:
  - { name: rest, type: wait, for: 2d }
  - { name: ask, agent: worker, input: n, output: asked }
`,
    'child',
  )

  it('run inside the test, on the same clock', async () => {
    const result = await play(CALL, { input: { n: 1 }, workflows: { child } })
    expect(result).toMatchObject({ status: 'completed', durationMs: 2 * DAY })
    expect(outputsOf(result)).toEqual({ answer: { asked: { n: 1 } } })
    expect(happened(result, 'call>ask')).toEqual([
      ['task_started', 2 * DAY],
      ['task_completed', 2 * DAY],
    ])
  })

  it('are mocked by their name', async () => {
    const mocked = await play(CALL, { mocks: [{ workflow: 'child', output: { asked: 2 }, latency: '1d' }] })
    expect(mocked).toMatchObject({ durationMs: DAY, output: { outputs: { answer: { asked: 2 } } } })
    const failed = await play(CALL, { mocks: [{ workflow: 'child', error: { code: 'NO' } }] })
    expect(failed).toMatchObject({ status: 'failed', error: { node: 'call', code: 'NO' } })
  })

  it('that take too long are cancelled, and what does not exist is not found', async () => {
    const slow = child.replace('2d', '9d')
    const late = await play(CALL, { input: { n: 1 }, workflows: { child: slow } })
    expect(late).toMatchObject({
      status: 'failed',
      durationMs: 5 * DAY,
      error: { code: 'SUBWORKFLOW_TIMED_OUT' },
    })
    expect(happened(late, 'call').at(-1)).toEqual(['run_cancelled', 5 * DAY])
    const missing = await play(CALL, { input: { n: 1 } })
    expect(missing).toMatchObject({ status: 'failed', error: { code: 'WORKFLOW_NOT_FOUND' } })
  })

  it('that call themselves without an end are too deep', async () => {
    const steps = 'steps: [{ name: call, type: workflow, workflow: flow }]'
    expect(await play(steps)).toMatchObject({ status: 'failed', error: { code: 'TOO_DEEP' } })
  })

  it('that are not waited for go on by themselves', async () => {
    const result = await play(CALL.replace('timeout: 5d', 'wait: false'), {
      input: { n: 1 },
      workflows: { child },
    })
    expect(result).toMatchObject({ durationMs: 0, output: { outputs: { answer: { runId: 'run-1' } } } })
    expect(result.trace.at(-1)).toMatchObject({ event: 'run_completed', path: 'call', afterMs: 2 * DAY })
  })
})

describe('settings', () => {
  it('are refused with all mistakes at once', async () => {
    const test = play('steps: [{ name: a, agent: worker }]', {
      mocks: [
        { output: 1 },
        { step: 'a' },
        { step: 'a', expression: 'state.x' },
        { step: 'a', output: 1, latency: 'long' },
      ],
      signals: [{ name: '', at: 'soon' }],
      decisions: [{ step: 'a', outcome: 'approve', after: '-1d' }],
      startAt: 'yesterday',
    })
    expect(await refusal(test)).toEqual([
      'BAD_INPUT',
      [
        'options.mocks.0.step',
        'options.mocks.1',
        'options.mocks.2.expression',
        'options.mocks.3.latency',
        'options.signals.0.name',
        'options.signals.0.at',
        'options.decisions.0.after',
        'options.startAt',
      ],
    ])
  })

  it('and what does not fit the definition’s schemas, as a run would be', async () => {
    const steps = `
schemas: { input: { type: object, required: [n], properties: { n: { type: integer } } } }
inputs: [n]
steps:
  - { name: wait, type: wait, signal: go, schema: { type: string }, output: said }
  - { name: a, agent: worker, input: n }
`
    const test = play(steps, { input: { n: 'one' }, signals: [{ name: 'go', payload: 1 }] })
    expect(await refusal(test)).toEqual(['BAD_INPUT', ['options.input.n', 'options.signals.0.payload']])
  })

  it('of a document with mistakes are its mistakes', async () => {
    const [code, paths] = await refusal(
      play('steps: [{ name: a, agent: worker, next: nowhere, color: red }]'),
    )
    expect([code, paths.length]).toEqual(['INVALID_DOCUMENT', 2])
  })
})

it('a test is the same every time', async () => {
  const steps = `
inputs: [items]
steps:
  - name: each
    type: map
    over: items
    as: item
    output: results
    steps: [{ name: work, agent: worker, input: item, retry: { attempts: 5, delay: 1s } }]
`
  const options: TestWorkflowOptions = {
    input: { items: [...Array(20).keys()] },
    mocks: [
      { step: 'work', outcomes: [{ error: { code: 'BUSY', retryable: true } }, { expression: 'input' }] },
    ],
  }
  expect(await play(steps, options)).toEqual(await play(steps, options))
})
