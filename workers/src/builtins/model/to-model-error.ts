import { APICallError, NoObjectGeneratedError, NoOutputGeneratedError, RetryError } from 'ai'
import { ModelError } from './model-error.ts'
import type { ModelErrorCode } from './model-error.ts'

/** Milliseconds to wait by the headers of a response; undefined when they do not say (`now` in ms since 1970). */
export function retryAfter(headers: Record<string, string> | undefined, now: number): number | undefined {
  const exact = Number(headers?.['retry-after-ms'])
  if (Number.isFinite(exact) && exact >= 0) return exact
  const value = headers?.['retry-after']?.trim()
  if (!value) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function codeOfStatus(status: number, body: string): ModelErrorCode {
  if (status === 401 || status === 403) return 'MODEL_UNAUTHORIZED'
  if (status === 404) return 'MODEL_NOT_FOUND'
  if (status === 429)
    return /insufficient_quota|billing/i.test(body) ? 'MODEL_QUOTA_EXHAUSTED' : 'MODEL_RATE_LIMITED'
  if (status === 408 || status === 409 || status >= 500) return 'MODEL_UNAVAILABLE'
  return 'MODEL_REFUSED_REQUEST'
}

/**
 * Classifies whatever a call threw. The message holds the status only: a response body may repeat the
 * customer's words or a key. `now` is the time in milliseconds since 1970.
 */
export function toModelError(error: unknown, now: number): ModelError {
  if (error instanceof ModelError) return error
  if (RetryError.isInstance(error)) return toModelError(error.lastError, now)
  if (NoObjectGeneratedError.isInstance(error) || NoOutputGeneratedError.isInstance(error)) {
    return new ModelError('MODEL_BAD_OUTPUT', 'the answer is not the JSON that was asked for', {
      cause: error,
    })
  }
  if (APICallError.isInstance(error)) {
    const { statusCode: status, responseHeaders } = error
    // A response that was fine but no chat completion (a proxy's page) carries its status, too.
    if (status !== undefined && status < 400) {
      return new ModelError('MODEL_BAD_OUTPUT', 'the answer is not a chat completion', { cause: error })
    }
    if (status !== undefined) {
      const wait = retryAfter(responseHeaders, now)
      const code = codeOfStatus(status, error.responseBody ?? '')
      return new ModelError(code, `the model server answered ${status}`, {
        cause: error,
        ...(wait === undefined ? {} : { retryAfterMs: wait }),
      })
    }
  }
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new ModelError('MODEL_TIMEOUT', 'the model did not answer in time', { cause: error })
  }
  return new ModelError('MODEL_UNREACHABLE', 'the model server cannot be reached', { cause: error })
}
