import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import type { Ending, Outcome } from './outcome.ts'
import type { RunStatus, StartedRun } from './start-runs.ts'

const FIELDS = `fragment Result on Run {
  id status createdAt endedAt costUsd state
  error { code message }
  approvals { id reason createdAt }
  quality { confidence }
}`

interface RunResult {
  id: string
  status: RunStatus
  createdAt: string
  endedAt: string | null
  costUsd: number
  state: Record<string, unknown> | null
  error: { code: string; message: string } | null
  approvals: { id: string; reason: string; createdAt: string }[]
  quality: { confidence: number }[]
}

// A query may have 20 fields at its root.
const ASKED_AT_ONCE = 20
const CALLS_AT_ONCE = 4

function endingOf(run: RunResult): Ending {
  if (run.status === 'RUNNING') return 'open'
  if (run.status === 'FAILED' || run.status === 'CANCELLED') return 'failed'
  // A run whose approval was decided is complete, and a person answered all the same.
  return run.approvals.length > 0 || run.status === 'WAITING' ? 'escalated' : 'answered'
}

function intentOf(state: RunResult['state']): string | undefined {
  const classification = state?.['intent_classification']
  if (typeof classification !== 'object' || classification === null || !('intent' in classification))
    return undefined
  return typeof classification.intent === 'string' ? classification.intent : 'none'
}

function toOutcome({ message, created }: StartedRun, run: RunResult): Outcome {
  const [approval] = run.approvals
  const until = approval?.createdAt ?? run.endedAt
  return {
    message,
    runId: run.id,
    ending: endingOf(run),
    fresh: created,
    milliseconds: until ? Date.parse(until) - Date.parse(run.createdAt) : undefined,
    cost: run.costUsd,
    confidence: run.quality.at(-1)?.confidence,
    intent: intentOf(run.state),
    reason: run.error ? `${run.error.code}: ${run.error.message}` : approval?.reason,
    approvalId: approval?.id,
  }
}

/** What became of each run, read from the platform's records, in the order given. */
export async function collectOutcomes(door: Door, started: readonly StartedRun[]): Promise<Outcome[]> {
  const outcomes: (Outcome | undefined)[] = []
  const chunks = Array.from(
    { length: Math.ceil(started.length / ASKED_AT_ONCE) },
    (_, index) => index * ASKED_AT_ONCE,
  )
  const collect = async (from: number) => {
    const chunk = started.slice(from, from + ASKED_AT_ONCE)
    const query = `query Results(${chunk.map((_, index) => `$r${index}: ID!`).join(', ')}) {
      ${chunk.map((_, index) => `r${index}: run(id: $r${index}) { ...Result }`).join('\n')}
    }
    ${FIELDS}`
    const variables = Object.fromEntries(chunk.map((run, index) => [`r${index}`, run.runId]))
    const runs = await ask<Record<string, RunResult | null>>(door, query, variables)
    for (const [index, run] of chunk.entries()) {
      const result = runs[`r${index}`]
      outcomes[from + index] = result
        ? toOutcome(run, result)
        : { message: run.message, runId: run.runId, ending: 'open', fresh: run.created }
    }
  }
  await Promise.all(
    Array.from({ length: CALLS_AT_ONCE }, async () => {
      for (let from = chunks.shift(); from !== undefined; from = chunks.shift()) await collect(from)
    }),
  )
  return outcomes.filter((outcome) => outcome !== undefined)
}
