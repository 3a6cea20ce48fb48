import { describe, expect, it } from 'vitest'
import type { WaitNode } from '../../../definitions/index.ts'
import { acceptsEvent, advance, checkSignal } from '../index.ts'
import type { RunView, Transition } from '../index.ts'
import { work, workflowOf } from '../workflow-of.ts'

const definitionOf = (node: Omit<WaitNode, 'id' | 'kind'>) =>
  workflowOf(
    [{ ...node, id: 'pause', kind: 'wait' }, work('after'), work('late')],
    [
      ['pause', 'after'],
      ['pause', 'late', 'expired', 'days > 1'],
    ],
  )
const queued = (input: Record<string, unknown> = {}): RunView => ({
  status: 'queued',
  input,
  strand: { path: '', state: {}, outer: [] },
})
const begin = (
  node: Omit<WaitNode, 'id' | 'kind'>,
  input?: Record<string, unknown>,
): Transition | undefined => advance(definitionOf(node), queued(input), { type: 'run_started' })[0]
type WaitEvent = { type?: 'wait_over' | 'wait_expired'; payload?: unknown }
const end = (node: Omit<WaitNode, 'id' | 'kind'>, event: WaitEvent, input = {}) =>
  advance(
    definitionOf(node),
    { ...queued(input), status: 'waiting', task: { status: 'waiting', attempt: 1, path: 'pause' } },
    { node: 'pause', type: 'wait_over', ...event },
  )

describe('a wait for a time', () => {
  const until = (at: string): Omit<WaitNode, 'id' | 'kind'> => ({ for: { type: 'until', at } })

  it('is for so long, or until then', () => {
    expect(begin({ for: { type: 'duration', ms: 5_000 } })).toEqual({
      type: 'create_task',
      kind: 'wait',
      node: 'pause',
      path: 'pause',
      status: 'waiting',
      input: {},
      attempt: 1,
      wakeAfterMs: 5_000,
    })
    expect(begin(until('timestamp(at) + duration("36h")'), { at: '2026-03-28T12:00:00Z' })).toMatchObject({
      wakeAt: '2026-03-30T00:00:00.000Z',
    })
  })

  it.each([
    ['2027-01-31T09:00:00Z', '2027-01-31T09:00:00.000Z'],
    ['2027-01-31T09:00+02:00', '2027-01-31T07:00:00.000Z'],
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
  ])('reads %s', (at, wakeAt) => {
    expect(begin(until('at'), { at })).toMatchObject({ wakeAt })
  })

  it.each(['2027-01-31T09:00:00', 'tomorrow', '2027-13-01', 17, null])(
    'does not take %j for a time',
    (at) => {
      expect(begin(until('at'), { at })).toMatchObject({
        type: 'record_choice',
        error: { code: 'INVALID_TIME' },
      })
    },
  )

  it('is over when its time has come, whichever word says so', () => {
    for (const type of ['wait_over', 'wait_expired'] as const)
      expect(end({ for: { type: 'duration', ms: 1 } }, { type })).toMatchObject([
        { type: 'settle_task', status: 'completed' },
        { type: 'create_task', node: 'after' },
      ])
  })
})

describe('a wait for a signal', () => {
  const signal = {
    for: { type: 'signal', name: 'paid', schema: { type: 'object', required: ['sum'] } },
    timeoutMs: 9_000,
    output: 'payment',
  } as const

  it('says what it waits for, and how long at most', () => {
    expect(begin(signal)).toMatchObject({ waitKey: 'signal:paid', wakeAfterMs: 9_000, expires: true })
    expect(begin({ for: { type: 'signal', name: 'paid' } })).not.toHaveProperty('wakeAfterMs')
  })

  it('gives its payload, which must fit', () => {
    expect(end(signal, { payload: { sum: 3 } })).toMatchObject([
      { type: 'settle_task', status: 'completed', output: { sum: 3 } },
      { type: 'write_state', name: 'payment', value: { sum: 3 } },
      { type: 'create_task', node: 'after' },
    ])
    expect(end(signal, { payload: 'paid' })).toMatchObject([
      { type: 'settle_task', status: 'failed', error: { code: 'OUTPUT_INVALID' } },
      { type: 'fail_run' },
    ])
  })

  it('that does not come takes the way for that, or fails', () => {
    expect(end(signal, { type: 'wait_expired' }, { days: 2 })).toMatchObject([
      { type: 'settle_task', status: 'failed', error: { code: 'WAIT_EXPIRED' } },
      { type: 'create_task', node: 'late' },
    ])
    expect(end(signal, { type: 'wait_expired' }, { days: 1 }).at(-1)).toMatchObject({
      type: 'fail_run',
      error: { code: 'WAIT_EXPIRED' },
    })
  })

  it('lets its sender know beforehand what does not fit', () => {
    expect(checkSignal(definitionOf(signal), 'paid', {})).toEqual([
      { path: '', message: "must have required property 'sum'" },
    ])
    expect(checkSignal(definitionOf(signal), 'paid', { sum: 1 })).toEqual([])
    expect(checkSignal(definitionOf(signal), 'other', {})).toEqual([])
  })
})

describe('a wait for an event', () => {
  const node = {
    for: { type: 'event', event: 'order.paid', filter: 'event.data.order == order && event.data.sum > 1' },
    output: 'paid',
  } as const
  const paid = {
    type: 'order.paid',
    subject: 'order/1',
    data: { order: 'A', sum: 2 },
    time: '2027-01-01T00:00:00Z',
  }

  it('keeps what its filter reads', () => {
    expect(begin(node, { order: 'A', other: 1 })).toMatchObject({
      waitKey: 'event:order.paid',
      input: { order: 'A' },
    })
  })

  it('takes the events that fit, and those alone', () => {
    const definition = definitionOf(node)
    expect(acceptsEvent(definition, 'pause', { order: 'A' }, paid)).toBe(true)
    expect(acceptsEvent(definition, 'pause', { order: 'B' }, paid)).toBe(false)
    expect(acceptsEvent(definition, 'pause', { order: 'A' }, { ...paid, type: 'order.made' })).toBe(false)
    expect(acceptsEvent(definition, 'pause', { order: 'A' }, { ...paid, data: {} })).toBe(false)
    expect(
      acceptsEvent(definitionOf({ for: { type: 'event', event: 'order.paid' } }), 'pause', {}, paid),
    ).toBe(true)
  })

  it('gives the event', () => {
    expect(end(node, { payload: paid })[1]).toMatchObject({ name: 'paid', value: paid })
  })
})
