import { MOST_VALUE_BYTES } from '@tutti/schema'
import type { TaskOutcome } from '@tutti/workflows/domain'
import { type EgressFetch, egressFetch, type EgressProblem } from './egress-fetch.ts'
import { authorizationOf, retryAfter } from './execute-over-http.ts'
import { failed, type TaskCall } from './executor.ts'

/** What may come over the wire for a value of 2 MiB: escaped as JSON, and a second time as text beside it. */
const MOST_WIRE_BYTES = 6 * MOST_VALUE_BYTES
/** A stream that ended without an answer may be taken up again so long; then the connection counts as lost. */
const RESUME_MS = 3_000
const MOST_REASON = 300

/** One attempt's requests to an agent, made by a protocol's SDK. */
export interface Wire {
  readonly fetch: EgressFetch
  /** Aborts with the attempt, and when what is watched is lost. */
  readonly signal: AbortSignal
  /** Does something with the SDK, and gives it up when an answer ended without one and nothing follows for 3 s. */
  watch<Result>(work: () => Promise<Result>): Promise<Result>
  /** What an error of the SDK comes to, by what was seen on the wire. */
  failureOf(error: unknown): TaskOutcome
}

/**
 * Opens it, with the credential that the agent's configuration names, for the agent's own origin alone. Rejects with
 * CredentialProblem.
 */
export async function openWire(call: WireCall, url: string): Promise<Wire> {
  const authorization = await authorizationOf(call, url)
  let problem: EgressProblem | undefined
  let refusal: TaskOutcome | undefined
  let answered = false
  let watched = 0
  let resuming: NodeJS.Timeout | undefined
  const lost = new AbortController()

  const fetch = egressFetch(call.egress, {
    origin: new URL(url).origin,
    headers: { ...authorization, 'idempotency-key': call.idempotencyKey },
    most: MOST_WIRE_BYTES,
    onRequest() {
      refusal = undefined
      answered = false
      clearTimeout(resuming)
    },
    onAnswer({ statusCode, headers }) {
      if (statusCode < 400) return
      refusal = failed('AGENT_REFUSED', `The agent answered with status ${statusCode}.`, {
        retryable: statusCode === 429 || statusCode >= 500,
        retryAfterMs: retryAfter(headers['retry-after']),
        fault: statusCode === 429 ? 'overload' : statusCode >= 500 ? 'server' : undefined,
      })
    },
    onProblem(error) {
      problem = error
      lost.abort(error)
    },
    onEnd(whole) {
      answered = whole
      clearTimeout(resuming)
      if (watched > 0) resuming = setTimeout(() => lost.abort(new Error('it broke off')), RESUME_MS)
    },
  })

  return {
    fetch,
    signal: AbortSignal.any([call.signal, lost.signal]),
    async watch(work) {
      watched += 1
      try {
        return await work()
      } finally {
        watched -= 1
        if (watched === 0) clearTimeout(resuming)
      }
    },
    failureOf(error) {
      if (problem) return failed(problem.code, problem.message)
      if (refusal) return refusal
      const reason = reasonOf(error)
      return answered
        ? failed('AGENT_ANSWER_INVALID', `The agent's answer is not what the protocol says: ${reason}`, {
            retryable: true,
          })
        : failed('AGENT_UNREACHABLE', `The agent could not be reached: ${reason}.`, { retryable: true })
    },
  }
}

/** What of a task's call a wire needs. */
export type WireCall = Pick<TaskCall, 'egress' | 'secrets' | 'idempotencyKey' | 'signal'> & {
  agent: Pick<TaskCall['agent'], 'id' | 'name' | 'executor'>
}

/** An error's message, shortened: it may hold what somebody else said. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : 'no connection').slice(0, MOST_REASON)
