import { z } from 'zod'
import type { BreakerSettings } from './breaker-state.ts'

const SECOND_MS = 1_000
const ms = z.int().min(1).max(86_400_000)
const seconds = z.number().min(0.1).max(86_400).nullish()
const count = z.int().min(1).max(1_000)

/** What is stored of a breaker's numbers: those that were said. */
export const storedBreaker = z
  .object({ failures: count, windowMs: ms, openMs: ms, maxOpenMs: ms, trialMs: ms })
  .partial()

/** A breaker's numbers as they are given, in seconds. */
export const breakerInput = z.object({
  failures: count.nullish(),
  windowSeconds: seconds,
  openSeconds: seconds,
  maxOpenSeconds: seconds,
  trialSeconds: seconds,
})

const inMs = (given: number | null | undefined): number | undefined =>
  given == null ? undefined : Math.round(given * SECOND_MS)

/** What is given, as it is stored. */
export const breakerInMs = (given: z.output<typeof breakerInput>): z.output<typeof storedBreaker> => ({
  failures: given.failures ?? undefined,
  windowMs: inMs(given.windowSeconds),
  openMs: inMs(given.openSeconds),
  maxOpenMs: inMs(given.maxOpenSeconds),
  trialMs: inMs(given.trialSeconds),
})

/** A breaker's numbers as they are shown. */
export const breakerInSeconds = ({ failures, windowMs, openMs, maxOpenMs, trialMs }: BreakerSettings) => ({
  failures,
  windowSeconds: windowMs / SECOND_MS,
  openSeconds: openMs / SECOND_MS,
  maxOpenSeconds: maxOpenMs / SECOND_MS,
  trialSeconds: trialMs / SECOND_MS,
})
