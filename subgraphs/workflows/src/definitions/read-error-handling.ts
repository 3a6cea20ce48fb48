import type { RetryPolicy } from './definition.ts'
import type { Place, ProblemList } from './problem.ts'
import { Fields } from './read-fields.ts'
import type { StepReference } from './read-fields.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

const DAY_SECONDS = 86_400
const MOST_RETRIES = 100

/** What holds for a workflow that says nothing: three tries, 1 s doubling to 60 s between them, 5 minutes a try. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialDelayMs: 1_000,
  factor: 2,
  maxDelayMs: 60_000,
}

/** Limit of one attempt when none is declared, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 300_000

/** Retry, timeout and the step to go to when a step has definitely failed. */
export type DraftErrorHandling = {
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly fallback?: StepReference | undefined
}

/**
 * Reads `retry_attempts` (tries after the first one), `retry_delay_seconds` (before the second try, doubling),
 * `timeout_seconds` (of one attempt) and `fallback_action`, wherever they stand: at the workflow or at a step.
 */
export function readErrorFields(fields: Fields, inherited: DraftErrorHandling): DraftErrorHandling {
  const retries = fields.number('retry_attempts', { min: 0, max: MOST_RETRIES })
  const delayMs = fields.seconds('retry_delay_seconds', { min: 0, max: DAY_SECONDS })
  const timeoutMs = fields.seconds('timeout_seconds', { min: 0.001, max: 7 * DAY_SECONDS })
  const retry = {
    ...inherited.retry,
    ...(retries === undefined ? {} : { maxAttempts: retries + 1 }),
    ...(delayMs === undefined
      ? {}
      : { initialDelayMs: delayMs, maxDelayMs: Math.max(delayMs, inherited.retry.maxDelayMs) }),
  }
  return { retry, timeoutMs: timeoutMs ?? inherited.timeoutMs, fallback: fields.reference('fallback_action') }
}

/** Reads the workflow's `error_handling`; absent, the defaults hold. */
export function readErrorHandling(
  tree: Tree | undefined,
  place: Place,
  problems: ProblemList,
): DraftErrorHandling {
  const defaults = { retry: DEFAULT_RETRY, timeoutMs: DEFAULT_TIMEOUT_MS }
  if (!tree) return defaults
  if (tree.kind !== 'map') {
    problems.add(
      'wrong_type',
      tree,
      `"error_handling" must be a mapping, not ${kindOf(tree)}.`,
      'For example retry_attempts: 3.',
    )
    return defaults
  }
  const fields = new Fields(tree, place, problems)
  const handling = readErrorFields(fields, defaults)
  fields.refuseOthers()
  return handling
}
