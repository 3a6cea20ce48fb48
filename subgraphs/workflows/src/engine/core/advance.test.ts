import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readDefinition } from '../../definitions/index.ts'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { advance, FALLBACK_STATE } from './index.ts'
import type { AttemptError, CoreEvent, RunView, TaskStatus } from './index.ts'

function define(source: unknown): WorkflowDefinition {
  const result = readDefinition(source)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.definition
}

const customerService = define(
  readFileSync(new URL('../../definitions/fixtures/customer-service-workflow.yaml', import.meta.url), 'utf8'),
)
const input = { customer_message: 'Where is my card?' }
const broken: AttemptError = { code: 'AGENT_ERROR', message: 'boom', retryable: true }

const line = (state: Record<string, unknown> = {}): RunView['strand'] => ({ path: '', state, outer: [] })
/** The view of a run whose main line is at `path`. */
const at = (
  path: string,
  state: Record<string, unknown> = {},
  attempt = 1,
  status: TaskStatus = 'running',
): RunView => ({
  status: 'running',
  input,
  strand: line(state),
  task: { status, attempt, path },
})
const before = (start: Partial<RunView> = {}): RunView => ({
  status: 'queued',
  input,
  strand: line(),
  ...start,
})
const succeeded = (node: string, output: unknown, attempt = 1): CoreEvent => ({
  type: 'task_succeeded',
  node,
  attempt,
  output,
})
const failed = (node: string, error: AttemptError, attempt = 1): CoreEvent => ({
  type: 'task_failed',
  node,
  attempt,
  error,
})

describe("a run of the seed's workflow", () => {
  it('begins with the first step and the customer message', () => {
    expect(advance(customerService, before(), { type: 'run_started' })).toEqual([
      {
        type: 'create_task',
        kind: 'agent',
        node: 'initial_analysis',
        path: 'initial_analysis',
        status: 'ready',
        input,
        attempt: 1,
        agent: 'sentiment_analyzer',
        timeoutMs: 30_000,
        maxAttempts: 4,
      },
    ])
  })

  it('hands a result on by its output name', () => {
    const transitions = advance(
      customerService,
      at('intent_classification', { sentiment_analysis: 'calm' }),
      succeeded('intent_classification', { intent: 'card' }),
    )
    expect(transitions).toMatchObject([
      { type: 'settle_task', node: 'intent_classification', status: 'completed' },
      { type: 'write_state', name: 'intent_classification', value: { intent: 'card' } },
      {
        type: 'create_task',
        node: 'knowledge_base_search',
        input: { ...input, intent_classification: { intent: 'card' } },
      },
    ])
  })

  it.each([
    [0.81, 'send_response'],
    [0.8, 'escalate_to_human'],
  ])('with a confidence of %d goes to %s alone', (confidence, step) => {
    const transitions = advance(
      customerService,
      at('quality_check', { draft_response: 'd' }),
      succeeded('quality_check', { confidence }),
    )
    expect(transitions.filter(({ type }) => type === 'record_choice')).toEqual([
      { type: 'record_choice', node: 'decision_point', path: 'decision_point', to: step },
    ])
    expect(transitions.filter(({ type }) => type === 'create_task')).toMatchObject([{ node: step }])
  })

  it('ends after either alternative', () => {
    const state = { quality_assessment: { confidence: 0.9 } }
    expect(
      advance(customerService, at('send_response', state), succeeded('send_response', 'sent')),
    ).toMatchObject([
      { type: 'settle_task' },
      { type: 'write_state', name: 'sent_confirmation' },
      {
        type: 'complete_run',
        output: {
          terminal: 'send_response',
          fallback: false,
          outputs: { ...state, sent_confirmation: 'sent' },
        },
      },
    ])
  })

  it('escalates when the assessment cannot be compared', () => {
    const transitions = advance(
      customerService,
      at('quality_check'),
      succeeded('quality_check', { confidence: 'high' }),
    )
    expect(transitions).toMatchObject([
      { type: 'settle_task', status: 'completed' },
      { type: 'write_state', name: 'quality_assessment' },
      { type: 'record_choice', node: 'decision_point', to: null, error: { code: 'CONDITION_FAILED' } },
      {
        type: 'write_state',
        name: FALLBACK_STATE,
        value: { node: 'decision_point', code: 'CONDITION_FAILED' },
      },
      { type: 'create_task', node: 'escalate_to_human' },
    ])
  })
})

describe('a failed attempt', () => {
  it.each([1, 2, 3])('number %i of four is followed by another', (attempt) => {
    const transitions = advance(
      customerService,
      at('response_generation', {}, attempt),
      failed('response_generation', broken, attempt),
    )
    expect(transitions).toMatchObject([
      {
        type: 'retry_task',
        node: 'response_generation',
        attempt: attempt + 1,
        error: { code: 'AGENT_ERROR' },
      },
    ])
  })

  it('waits as long as the other side asks', () => {
    const [retry] = advance(
      customerService,
      at('response_generation'),
      failed('response_generation', { ...broken, retryAfterMs: 90_000 }),
    )
    expect(retry).toMatchObject({ type: 'retry_task', delayMs: 90_000 })
  })

  it('goes to the fallback after the last try, with null for what does not exist', () => {
    const transitions = advance(
      customerService,
      at('response_generation', { sentiment_analysis: 's' }, 4),
      failed('response_generation', broken, 4),
    )
    expect(transitions).toMatchObject([
      { type: 'settle_task', node: 'response_generation', status: 'failed' },
      { type: 'write_state', name: FALLBACK_STATE },
      {
        type: 'create_task',
        node: 'escalate_to_human',
        input: { ...input, draft_response: null, quality_assessment: null },
      },
    ])
  })

  it('goes there at once when trying again would not help', () => {
    const transitions = advance(
      customerService,
      at('response_generation'),
      failed('response_generation', { ...broken, retryable: false }),
    )
    expect(transitions.map(({ type }) => type)).toEqual(['settle_task', 'write_state', 'create_task'])
  })

  it('by time is one like the others', () => {
    const event = { type: 'task_timed_out', node: 'quality_check', attempt: 1 } as const
    expect(advance(customerService, at('quality_check'), event)).toMatchObject([
      { type: 'retry_task', error: { code: 'STEP_TIMED_OUT' } },
    ])
    const last = advance(customerService, at('quality_check', {}, 4), { ...event, attempt: 4 })
    expect(last.at(-1)).toMatchObject({ type: 'create_task', node: 'escalate_to_human' })
  })

  it('of the fallback itself fails the run', () => {
    const state = { [FALLBACK_STATE]: { node: 'quality_check', code: 'X', message: 'x' } }
    expect(
      advance(customerService, at('escalate_to_human', state, 4), failed('escalate_to_human', broken, 4)),
    ).toMatchObject([
      { type: 'settle_task', status: 'failed' },
      { type: 'fail_run', error: { node: 'escalate_to_human', code: 'AGENT_ERROR' } },
    ])
  })
})

it('a run that its fallback handled is completed, and says why it was needed', () => {
  const reason = { node: 'quality_check', code: 'X', message: 'x' }
  const transitions = advance(
    customerService,
    at('escalate_to_human', { [FALLBACK_STATE]: reason }),
    succeeded('escalate_to_human', 'T-1'),
  )
  expect(transitions.at(-1)).toEqual({
    type: 'complete_run',
    output: {
      outputs: { escalation_ticket: 'T-1' },
      terminal: 'escalate_to_human',
      fallback: true,
      fallbackReason: reason,
    },
  })
})

it('a step has one fallback a run, even if another step names another', () => {
  const definition = define({
    name: 'x',
    steps: [
      { name: 'first', agent: 'a', fallback_action: 'mend' },
      { name: 'mend', agent: 'a', fallback_action: 'last', retry_attempts: 0 },
      { name: 'last', agent: 'a' },
    ],
  })
  const state = { [FALLBACK_STATE]: { node: 'first', code: 'X', message: 'x' } }
  expect(advance(definition, at('mend', state), failed('mend', broken)).at(-1)).toMatchObject({
    type: 'fail_run',
  })
  expect(advance(definition, at('mend'), failed('mend', broken)).at(-1)).toMatchObject({
    type: 'create_task',
    node: 'last',
  })
})

describe('what comes too late changes nothing', () => {
  const success = succeeded('initial_analysis', 1)
  it.each<[string, RunView, CoreEvent]>([
    ['a completion again', at('initial_analysis', {}, 1, 'completed'), success],
    ['a completion of an earlier attempt', at('initial_analysis', {}, 2), success],
    ['a failure of an earlier attempt', at('initial_analysis', {}, 2), failed('initial_analysis', broken)],
    ['a completion after the run was cancelled', { ...at('initial_analysis'), status: 'cancelled' }, success],
    ['a cancellation after the end', before({ status: 'completed' }), { type: 'run_cancelled' }],
    ['a second start', before({ status: 'running' }), { type: 'run_started' }],
    ['a completion without a task', before({ status: 'running' }), success],
  ])('%s', (_, view, event) => {
    expect(advance(customerService, view, event)).toEqual([])
  })
})

it('a cancelled run stops, and says why', () => {
  expect(advance(customerService, at('constructor'), { type: 'run_cancelled', reason: 'duplicate' })).toEqual(
    [{ type: 'cancel_run', reason: 'duplicate' }],
  )
})

it('an event of a step that the definition does not have is an error of the caller', () => {
  expect(() => advance(customerService, at('constructor'), succeeded('constructor', 1))).toThrow(
    'no step "constructor"',
  )
})

describe('a review', () => {
  const definition = define({
    name: 'publish',
    inputs: ['text'],
    steps: [
      {
        name: 'ask',
        type: 'review',
        role: 'approver',
        question: 'Publish?',
        input: 'text',
        output: 'decision',
        deadline_seconds: 60,
        if_rejected: 'stop',
      },
      { name: 'choose', condition: 'decision.comment == "quickly"', if_true: 'publish', if_false: 'end' },
      { name: 'publish', agent: 'publisher', next: 'end' },
      { name: 'stop', type: 'end' },
    ],
  })
  const waiting = { ...at('ask', {}, 1, 'waiting'), input: { text: 'T' } }

  it('waits for a person of its role', () => {
    expect(advance(definition, before({ input: { text: 'T' } }), { type: 'run_started' })).toEqual([
      {
        type: 'create_task',
        kind: 'review',
        node: 'ask',
        path: 'ask',
        status: 'waiting',
        input: { text: 'T' },
        attempt: 1,
        role: 'approver',
        question: 'Publish?',
        deadlineMs: 60_000,
      },
    ])
  })

  it('goes on when approved, through a chain of conditions in the same call', () => {
    const decided = { type: 'review_decided', node: 'ask', outcome: 'approve', by: 'Ada' } as const
    expect(advance(definition, waiting, { ...decided, comment: 'quickly' }).at(-1)).toMatchObject({
      type: 'create_task',
      node: 'publish',
    })
    expect(advance(definition, waiting, decided).at(-1)).toMatchObject({
      type: 'complete_run',
      output: { terminal: 'choose', outputs: { decision: { outcome: 'approve', by: 'Ada', comment: null } } },
    })
  })

  it('takes the way of a rejection to its named end', () => {
    const transitions = advance(definition, waiting, {
      type: 'review_decided',
      node: 'ask',
      outcome: 'reject',
    })
    expect(transitions.at(-1)).toMatchObject({ type: 'complete_run', output: { terminal: 'stop' } })
  })

  it('that nobody decided in time fails like any step', () => {
    expect(advance(definition, waiting, { type: 'review_expired', node: 'ask' })).toMatchObject([
      { type: 'settle_task', status: 'failed' },
      { type: 'fail_run', error: { node: 'ask', code: 'REVIEW_EXPIRED' } },
    ])
  })

  it('fails at once when it asks about more than people can be asked', () => {
    const big = define({
      format: 'tutti/1',
      name: 'sign',
      inputs: ['contract'],
      steps: [{ name: 'sign', question: 'Sign it?', input: 'contract', if_rejected: 'end' }],
    })
    const asked = (contract: unknown) =>
      advance(big, { ...before(), input: { contract } }, { type: 'run_started' }).at(-1)
    expect(asked('x'.repeat(262_000))).toMatchObject({ type: 'create_task', kind: 'review' })
    const refused = { type: 'fail_run', error: { node: 'sign', code: 'REVIEW_UNASKABLE' } }
    expect(asked('ü'.repeat(132_000))).toMatchObject(refused)
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
    expect(asked(nested(63))).toMatchObject({ type: 'create_task' })
    expect(asked(nested(64))).toMatchObject(refused)
  })

  it('is not completed as if it were the work of an agent', () => {
    expect(advance(definition, waiting, succeeded('ask', 'x'))).toEqual([])
  })
})
