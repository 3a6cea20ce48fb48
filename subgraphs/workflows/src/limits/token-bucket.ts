/** A bucket of whole starts: so many at most, filled evenly so that it is full after `perSeconds`. */
export interface TokenBucket {
  tokens: number
  maxStarts: number
  perSeconds: number
}

/** What is in it after so many seconds without a start. A clock that went back fills nothing. */
export function refill({ tokens, maxStarts, perSeconds }: TokenBucket, elapsedSeconds: number): number {
  return Math.min(maxStarts, tokens + (Math.max(0, elapsedSeconds) * maxStarts) / perSeconds)
}

/** Starts that so many tokens are enough for; six sixths of one are one. */
export const wholeStarts = (tokens: number): number => Math.floor(tokens + 1e-9)
