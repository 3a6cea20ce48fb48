/** A breaker. Moments are epoch milliseconds of the database's clock. */
export type BreakerState =
  /** Everything passes; `failures` are the recent ones, oldest first. */
  | { readonly state: 'closed'; readonly failures: readonly number[] }
  /** Nothing passes before `retryAt`; it is open for `openMs`. */
  | { readonly state: 'open'; readonly openMs: number; readonly retryAt: number }
  /** One trial is under way; from `retryAt` on, when it was not heard of, another may begin. */
  | { readonly state: 'half_open'; readonly openMs: number; readonly retryAt: number }

export interface BreakerSettings {
  /** So many failures open it ... */
  readonly failures: number
  /** ... within so many milliseconds. */
  readonly windowMs: number
  /** For how long it opens the first time, and at most. */
  readonly openMs: number
  readonly maxOpenMs: number
  /** How long a trial is waited for. */
  readonly trialMs: number
}

export const DEFAULT_BREAKER: BreakerSettings = {
  failures: 5,
  windowMs: 60_000,
  openMs: 60_000,
  maxOpenMs: 900_000,
  trialMs: 60_000,
}

export const CLOSED: BreakerState = { state: 'closed', failures: [] }

/** What somebody who wants to call is told. */
export type BreakerAnswer = 'pass' | 'trial' | 'wait'

/** Asks to call at `now`: the answer, and the state from then on. */
export function askBreaker(
  breaker: BreakerState,
  now: number,
  { trialMs }: BreakerSettings,
): { answer: BreakerAnswer; after: BreakerState } {
  if (breaker.state === 'closed') return { answer: 'pass', after: breaker }
  if (now < breaker.retryAt) return { answer: 'wait', after: breaker }
  return {
    answer: 'trial',
    after: { state: 'half_open', openMs: breaker.openMs, retryAt: now + trialMs },
  }
}

/** A call failed at `now` in a way that says that the other side is broken. */
export function breakerAfterFailure(
  breaker: BreakerState,
  now: number,
  settings: BreakerSettings,
): BreakerState {
  const { failures: most, windowMs, openMs, maxOpenMs } = settings
  switch (breaker.state) {
    case 'closed': {
      const failures = [...breaker.failures.filter((at) => at > now - windowMs), now]
      return failures.length < most
        ? { state: 'closed', failures }
        : { state: 'open', openMs, retryAt: now + openMs }
    }
    // A call that began before it opened.
    case 'open':
      return breaker
    case 'half_open': {
      const longer = Math.min(breaker.openMs * 2, Math.max(maxOpenMs, openMs))
      return { state: 'open', openMs: longer, retryAt: now + longer }
    }
  }
}

/** A call went well: a trial closes it; of any other nothing is kept. */
export function breakerAfterSuccess(breaker: BreakerState): BreakerState {
  return breaker.state === 'half_open' ? CLOSED : breaker
}
