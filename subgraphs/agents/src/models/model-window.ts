import type { Measurement } from './route.ts'

const BUCKET_MS = 15_000
const BUCKETS = 60
const SECOND_MS = 1_000
const SECONDS = 60

/** What went well as far as the model is concerned, or failed by what was asked. */
const NO_FAULT = new Set(['ok', 'MODEL_REFUSED_REQUEST', 'MODEL_CONTENT_FILTERED'])

/** A call as it is counted. Times in milliseconds since 1970, by this process's clock. */
export interface NotedCall {
  modelId: string
  at: number
  /** Input and output. */
  tokens: number
  latencyMs: number
  /** `ok`, or the code of the failure. */
  outcome: string
  /** 0 to 1, where it was judged. */
  quality: number | null
  outUntil: number | null
}

/** The last 15 minutes of one model in buckets of 15 s, and its last minute in buckets of a second. */
export interface Window {
  add(call: NotedCall): void
  /** Counts as a request with its tokens until the answer is called. */
  starting(tokens: number): () => void
  read(now: number): Measurement
}

interface Bucket {
  /** Which stretch of time it holds, counted from 1970; what it held before is gone. */
  stretch: number
  calls: number
  failures: number
  answered: number
  latencyMs: number
  judged: number
  quality: number
}

interface Second {
  stretch: number
  requests: number
  tokens: number
}

const emptyBucket = (stretch: number): Bucket => ({
  stretch,
  calls: 0,
  failures: 0,
  answered: 0,
  latencyMs: 0,
  judged: 0,
  quality: 0,
})

/** The bucket of a time, emptied when it held an older one; undefined when it holds a newer one already. */
function take<T extends { stretch: number }>(
  ring: T[],
  stretch: number,
  empty: (stretch: number) => T,
): T | undefined {
  const slot = stretch % ring.length
  const held = ring[slot]
  if (held?.stretch === stretch) return held
  if (held && held.stretch > stretch) return undefined
  const fresh = empty(stretch)
  ring[slot] = fresh
  return fresh
}

export function createWindow(): Window {
  const buckets = Array.from({ length: BUCKETS }, () => emptyBucket(-1))
  const emptySecond = (stretch: number): Second => ({ stretch, requests: 0, tokens: 0 })
  // One more: of the second in which the minute began, a part still counts.
  const seconds = Array.from({ length: SECONDS + 1 }, () => emptySecond(-1))
  const underWay = { requests: 0, tokens: 0 }
  let failuresOnEnd = 0
  let lastFailureAt: number | null = null
  let lastSuccessAt = 0
  let outUntil: number | null = null

  return {
    add({ at, tokens, latencyMs, outcome, quality, outUntil: until }) {
      const failed = !NO_FAULT.has(outcome)
      if (!failed && at >= lastSuccessAt) {
        lastSuccessAt = at
        if (lastFailureAt === null || lastFailureAt <= at) failuresOnEnd = 0
      }
      if (failed) {
        if (at >= lastSuccessAt) failuresOnEnd += 1
        lastFailureAt = Math.max(lastFailureAt ?? 0, at)
      }
      if (until !== null) outUntil = Math.max(outUntil ?? 0, until)
      const second = take(seconds, Math.floor(at / SECOND_MS), emptySecond)
      if (second) {
        second.requests += 1
        second.tokens += tokens
      }
      const bucket = take(buckets, Math.floor(at / BUCKET_MS), emptyBucket)
      if (!bucket) return
      bucket.calls += 1
      if (failed) bucket.failures += 1
      if (outcome === 'ok') {
        bucket.answered += 1
        bucket.latencyMs += latencyMs
      }
      if (quality !== null) {
        bucket.judged += 1
        bucket.quality += quality
      }
    },

    starting(tokens) {
      underWay.requests += 1
      underWay.tokens += tokens
      let over = false
      return () => {
        if (over) return
        over = true
        underWay.requests -= 1
        underWay.tokens -= tokens
      }
    },

    read(now) {
      const sum = emptyBucket(0)
      const oldest = Math.floor(now / BUCKET_MS) - BUCKETS
      for (const bucket of buckets) {
        if (bucket.stretch <= oldest) continue
        sum.calls += bucket.calls
        sum.failures += bucket.failures
        sum.answered += bucket.answered
        sum.latencyMs += bucket.latencyMs
        sum.judged += bucket.judged
        sum.quality += bucket.quality
      }
      let { requests, tokens } = underWay
      const oldestSecond = Math.floor(now / SECOND_MS) - SECONDS
      for (const second of seconds) {
        if (second.stretch < oldestSecond) continue
        requests += second.requests
        tokens += second.tokens
      }
      return {
        calls: sum.calls,
        failures: sum.failures,
        failuresOnEnd,
        lastFailureAt,
        latencyMs: sum.answered === 0 ? null : sum.latencyMs / sum.answered,
        judged: sum.judged,
        quality: sum.judged === 0 ? null : sum.quality / sum.judged,
        requestsInMinute: requests,
        tokensInMinute: tokens,
        outUntil,
      }
    },
  }
}
