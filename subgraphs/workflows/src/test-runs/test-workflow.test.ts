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
  - { name: paid, type: wait, signal: payment, timeout: 10d, output: payment, on_expired: dun }
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
      { signals: [{ name: 'go', payload: 'late', at: '2h' }, { name: 'go', payload: 'early', at: '1h' }] },
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
    expect(outputsOf(timed)).toMatchObject({ paid: { type: 'order.paid', data: { order: 7 }, source: 'test' } })
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
      - { name: check, type: review, role: approver, question: "Good?", timeout: 2d, output: checked, on_rejected: end, on_expired: end }
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
  - { name: check, type: review, role: approver, question: "Good?" }
`)
    expect(open).toMatchObject({ status: 'waiting', waitsFor: [{ path: 'check', kind: 'review', name: 'approver' }] })
    const expired = await play(
      `
steps:
  - { name: check, type: review, role: approver, question: "Good?", timeout: 2d }
`,
      { decisions: [{ step: 'check', outcome: 'approve', after: '3d' }] },
    )
    expect(expired).toMatchObject({ status: 'failed', durationMs: 2 * DAY, error: { code: 'REVIEW_EXPIRED' } })
  })
})
