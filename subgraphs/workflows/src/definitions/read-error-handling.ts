import type { RetryPolicy } from './definition.ts'
import type { Place, ProblemList } from './problem.ts'
import { DAY, readDuration } from './read-duration.ts'
import { Fields } from './read-fields.ts'
import type { StepReference } from './read-fields.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

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
 * `timeout_seconds` (of one attempt) and `fallback_action`, wherever they stand: at the workflow or at a step; and
 * `retry`, which says all of it, with `attempts` in all.
 */
export function readErrorFields(fields: Fields, inherited: DraftErrorHandling): DraftErrorHandling {
  const retries = fields.number('retry_attempts', { min: 0, max: MOST_RETRIES })
  const delayMs = fields.seconds('retry_delay_seconds', { min: 0, max: DAY / 1_000 })
  const simple: RetryPolicy = {
    ...inherited.retry,
    ...(retries === undefined ? {} : { maxAttempts: retries + 1 }),
    ...(delayMs === undefined
      ? {}
      : { initialDelayMs: delayMs, maxDelayMs: Math.max(delayMs, inherited.retry.maxDelayMs) }),
  }
  const full = fields.mapping('retry', 'As {attempts: 5, delay: 2s, factor: 2, max_delay: 1m}.')
  if (full && (fields.has('retry_attempts') || fields.has('retry_delay_seconds')))
    fields.problems.add(
      'conflicting_keys',
      full.place,
      '"retry" stands beside "retry_attempts" or "retry_delay_seconds".',
      'Write one of them; "attempts" counts the first try too.',
    )
  return {
    retry: full ? readRetry(full, inherited.retry) : simple,
    timeoutMs: readDuration(fields, 'timeout', { min: 1, max: 7 * DAY }) ?? inherited.timeoutMs,
    fallback: fields.reference('fallback_action'),
  }
}

function readRetry(fields: Fields, inherited: RetryPolicy): RetryPolicy {
  const delayMs = readDuration(fields, 'delay', { min: 0, max: DAY }) ?? inherited.initialDelayMs
  const maxDelayMs = readDuration(fields, 'max_delay', { min: 0, max: DAY })
  if (maxDelayMs !== undefined && maxDelayMs < delayMs)
    fields.problems.add(
      'out_of_range',
      fields.placeOf('max_delay'),
      '"max_delay" is shorter than the first delay.',
      'Make it as long as "delay" at least.',
    )
  const jitter = fields.number('jitter', { min: 0, max: 1, fraction: true }) ?? inherited.jitter
  const only = fields.texts('only') ?? inherited.only
  const never = fields.texts('never') ?? inherited.never
  const retry: RetryPolicy = {
    maxAttempts: fields.number('attempts', { min: 1, max: MOST_RETRIES + 1 }) ?? inherited.maxAttempts,
    initialDelayMs: delayMs,
    factor: fields.number('factor', { min: 1, max: 100, fraction: true }) ?? inherited.factor,
    maxDelayMs: maxDelayMs ?? Math.max(delayMs, inherited.maxDelayMs),
    ...(jitter === undefined ? {} : { jitter }),
    ...(only === undefined ? {} : { only }),
    ...(never === undefined ? {} : { never }),
  }
  fields.refuseOthers()
  return retry
}

/** Reads the workflow's `error_handling`; absent, the defaults hold. */
export function readErrorHandling(
  tree: Tree | undefined,
  place: Place,
  problems: ProblemList,
  attemptTimeoutMs = DEFAULT_TIMEOUT_MS,
): DraftErrorHandling {
  const defaults = { retry: DEFAULT_RETRY, timeoutMs: attemptTimeoutMs }
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
