import { describe, expect, it } from 'vitest'
import type { Assignee, TaskNode, WorkflowDefinition } from '../../../definitions/index.ts'
import { advance } from '../index.ts'
import type { AttemptError, CoreEvent, RunView } from '../index.ts'
import { work, workflowOf } from '../workflow-of.ts'

const retry = { maxAttempts: 4, initialDelayMs: 1_000, factor: 2, maxDelayMs: 60_000, jitter: 0 }
const view = (attempt: number, elapsedMs?: number): RunView => ({
  status: 'running',
  input: {},
  strand: { path: '', state: {}, outer: [] },
  task: { status: 'running', attempt, path: 'a', ...(elapsedMs === undefined ? {} : { elapsedMs }) },
})
const failed = (code: string, attempt = 1, more: Partial<AttemptError> = {}): CoreEvent => ({
  type: 'task_failed',
  node: 'a',
  attempt,
  error: { code, message: code, retryable: true, ...more },
})
const succeeded = (output: unknown, attempt = 1): CoreEvent => ({
  type: 'task_succeeded',
  node: 'a',
  attempt,
  output,
})
const one = (more: Partial<TaskNode>, rest: Partial<WorkflowDefinition> = {}) =>
  workflowOf([work('a', { retry, ...more })], [], rest)
const first = (definition: WorkflowDefinition, shown: RunView, event: CoreEvent) =>
  advance(definition, shown, event)[0]

describe('an attempt that failed', () => {
  it('is followed by another after the wait of the policy', () => {
    expect(first(one({}), view(1), failed('X'))).toMatchObject({
      type: 'retry_task',
      attempt: 2,
      delayMs: 1_000,
    })
    expect(first(one({}), view(3), failed('X', 3))).toMatchObject({
      type: 'retry_task',
      attempt: 4,
      delayMs: 4_000,
    })
    expect(first(one({}), view(4), failed('X', 4))).toMatchObject({ type: 'settle_task', status: 'failed' })
  })

  it.each<[string, Partial<TaskNode['retry']>, string]>([
    ['only what the policy names, and this is it', { only: ['BUSY'] }, 'retry_task'],
    ['only what the policy names, and this is not it', { only: ['OTHER'] }, 'settle_task'],
    ['never what the policy names', { never: ['BUSY'] }, 'settle_task'],
    ['never what the policy names, and this is not it', { never: ['OTHER'] }, 'retry_task'],
    ['not what is named on both sides', { only: ['BUSY'], never: ['BUSY'] }, 'settle_task'],
  ])('is tried again by kind: %s', (_, policy, type) => {
    expect(first(one({ retry: { ...retry, ...policy } }), view(1), failed('BUSY'))).toMatchObject({ type })
  })

  it('is the last when its agent says so, whatever the policy names', () => {
    const definition = one({ retry: { ...retry, only: ['BUSY'] } })
    expect(first(definition, view(1), failed('BUSY', 1, { retryable: false }))).toMatchObject({
      type: 'settle_task',
    })
  })

  it("is the last when the next would begin after the step's own limit", () => {
    const definition = one({ stepTimeoutMs: 10_000 })
    expect(first(definition, view(1, 8_999), failed('X'))).toMatchObject({ type: 'retry_task' })
    expect(first(definition, view(1, 9_000), failed('X'))).toMatchObject({
      type: 'settle_task',
      error: { code: 'X' },
    })
    expect(first(definition, view(1, 1_000), failed('X', 1, { retryAfterMs: 9_000 }))).toMatchObject({
      type: 'settle_task',
    })
    expect(first(definition, view(1), failed('X'))).toMatchObject({ type: 'retry_task' })
  })
})

describe('a result', () => {
  it('that does not fit its schema is a failed attempt like any other', () => {
    const definition = one({ outputSchema: { type: 'object', required: ['score'] } })
    expect(first(definition, view(1), succeeded({ scores: 1 }))).toEqual({
      type: 'retry_task',
      node: 'a',
      path: 'a',
      attempt: 2,
      delayMs: 1_000,
      error: {
        code: 'OUTPUT_INVALID',
        message: "The result does not fit its schema: must have required property 'score'.",
      },
    })
    expect(first(definition, view(4), succeeded({}, 4))).toMatchObject({
      type: 'settle_task',
      status: 'failed',
      error: { code: 'OUTPUT_INVALID' },
    })
    expect(first(definition, view(1), succeeded({ score: 1 }))).toMatchObject({ status: 'completed' })
  })

  it('is checked by the schema of its name in the state as well', () => {
    const definition = one(
      {},
      { schemas: { state: { a: { type: 'object', properties: { n: { type: 'number' } } } } } },
    )
    expect(first(definition, view(1), succeeded({ n: 'three' }))).toMatchObject({
      type: 'retry_task',
      error: { code: 'OUTPUT_INVALID', message: '"a" does not fit its schema at n: must be number.' },
    })
    expect(first(definition, view(1), succeeded({ n: 3 }))).toMatchObject({ status: 'completed' })
  })

  it('of nothing is null to a schema', () => {
    expect(first(one({ outputSchema: { type: 'null' } }), view(1), succeeded(undefined))).toMatchObject({
      status: 'completed',
    })
  })

  it('whose schema cannot be used fails the step, and not the engine', () => {
    const definition = one({ outputSchema: { $ref: '#/nowhere' } })
    expect(first(definition, view(4), succeeded(1, 4))).toMatchObject({
      status: 'failed',
      error: { code: 'OUTPUT_INVALID', message: expect.stringContaining('cannot be checked') },
    })
  })
})

describe('a task', () => {
  it('is given to an agent, or to any with the capability, with its limits', () => {
    const begin = (assignee: Assignee) =>
      first(
        workflowOf([
          { id: 'a', kind: 'task', inputs: [], retry, timeoutMs: 1, heartbeatMs: 500, ...assignee },
        ]),
        { status: 'queued', input: {}, strand: { path: '', state: {}, outer: [] } },
        { type: 'run_started' },
      )
    expect(begin({ agent: 'ada' })).toMatchObject({ agent: 'ada', heartbeatMs: 500, maxAttempts: 4 })
    const any = begin({ capability: 'writing' })
    expect(any).toMatchObject({ capability: 'writing' })
    expect(any).not.toHaveProperty('agent')
  })

  it('that is left out goes on as if done, with the result that was given', () => {
    const definition = workflowOf(
      [work('a'), work('b', { inputs: [{ param: 'a', path: ['a', 'x'] }] })],
      [['a', 'b']],
    )
    expect(advance(definition, view(1), { type: 'task_skipped', node: 'a', output: { x: 1 } })).toMatchObject(
      [
        { type: 'settle_task', status: 'skipped', output: { x: 1 } },
        { type: 'write_state', name: 'a' },
        { type: 'create_task', node: 'b', input: { a: 1 } },
      ],
    )
    expect(advance(definition, view(1), { type: 'task_skipped', node: 'a' })).toMatchObject([
      { type: 'settle_task', status: 'skipped' },
      { type: 'create_task', node: 'b', input: { a: null } },
    ])
  })

  it('whose input cannot be evaluated fails without a task', () => {
    const definition = workflowOf([work('a', { inputs: [{ param: 'p', value: 'n.of.nothing' }] })])
    const queued: RunView = { status: 'queued', input: {}, strand: { path: '', state: {}, outer: [] } }
    expect(advance(definition, queued, { type: 'run_started' })).toMatchObject([
      { type: 'record_choice', to: null, error: { code: 'EXPRESSION_FAILED' } },
      { type: 'fail_run', error: { node: 'a', code: 'EXPRESSION_FAILED' } },
    ])
  })

  it('sees no name of the engine', () => {
    const definition = workflowOf(
      [
        work('a'),
        work('b', {
          inputs: [
            { param: 'f', path: ['$fallback'] },
            { param: 't', path: ['$turn:x'] },
          ],
        }),
      ],
      [['a', 'b']],
    )
    const shown: RunView = {
      ...view(1),
      strand: { path: '', state: { $fallback: { node: 'x' }, '$turn:x': 3 }, outer: [] },
    }
    expect(advance(definition, shown, succeeded(1)).at(-1)).toMatchObject({ input: { f: null, t: null } })
  })
})
