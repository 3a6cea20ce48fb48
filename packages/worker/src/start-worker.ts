import { setTimeout as pause } from 'node:timers/promises'
import { type Door, openDoor, PlatformError } from './open-door.ts'
import { TaskFailure } from './task-failure.ts'
import { isRecord } from './is-record.ts'

const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 30_000
/** Of many reports in a second the newest is sent. */
const REPORT_EVERY_MS = 1_000

/** A claimed task. */
export interface WorkerTask {
  id: string
  /** By the step's names. */
  input: Record<string, unknown>
  /** From 1. */
  attempt: number
  /** The same for every attempt: whatever happens outside should bear it. */
  idempotencyKey: string
  runId: string
  /** The step's path in the run. */
  step: string
  workflowName: string
  /** When the step's time is over; null: it has no end. */
  deadline: Date | null
  /** What was last reported of the task, to go on from. */
  progress: { percent: number | null; message: string | null; data: unknown } | null
}

/** What a handler works with. */
export interface TaskTools {
  /** Aborts when the claim is lost: cancelled, ordered to stop, the time is over. The answer would be refused. */
  signal: AbortSignal
  /** How far it is; as often as it likes. Never throws. */
  report(progress: { percent?: number; message?: string; data?: unknown }): void
  /** A line for the task's log. Never throws. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: unknown): void
  /** What the task costs, US dollars; the last word counts. */
  cost(usd: number): void
}

/** How a worker works. */
export interface WorkerOptions {
  /** The platform's `/graphql`. */
  url: string
  /** An API key; an agent's works for that agent alone. */
  key: string
  /** The agent's name or id; an agent's own key need not say it. */
  agent?: string
  /** Tasks at once; 1 unless said. */
  concurrency?: number
  /** How long a claim holds when nothing is heard of this process, 5 to 3,600; 60 unless said. */
  leaseSeconds?: number
  /** How often it asks when nobody tells it of work, milliseconds; 5,000 unless said. */
  pollMs?: number
  /** Does one task. A {@link TaskFailure} says how it failed; what else is thrown may be tried again. */
  handle: (task: WorkerTask, tools: TaskTools) => Promise<unknown>
  /** What goes wrong beside the tasks: the platform is away, an answer came too late. */
  onError?: (error: unknown) => void
}

/** A worker at work. */
export interface Worker extends AsyncDisposable {
  /** Tasks under way. */
  busy(): number
  /** Claims nothing any more, and waits `graceMs` (10,000 unless said) for what is under way; what is left then is given back. */
  stop(graceMs?: number): Promise<void>
}

interface Claim {
  task: WorkerTask
  token: string
}

/**
 * Claims tasks and does them until it is stopped. It is told of work as it comes, asks now and then all the same, and comes
 * again with growing pauses when the platform is away.
 */
export function startWorker(options: WorkerOptions): Worker {
  const { agent, concurrency = 1, leaseSeconds = 60, pollMs = 5_000, handle } = options
  const { onError = () => undefined } = options
  const door = openDoor(options.url, options.key)
  const stopping = new AbortController()
  const giving = new AbortController()
  const busy = new Set<Promise<void>>()
  let look = Promise.withResolvers<void>()
  const nudge = (): void => look.resolve()

  async function claiming(): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS
    while (!stopping.signal.aborted) {
      look = Promise.withResolvers<void>()
      const most = Math.min(100, concurrency - busy.size)
      let restMs = pollMs
      try {
        const claims = most > 0 ? await claimTasks(door, { agent, most, leaseSeconds }) : []
        for (const claim of claims) begin(claim)
        if (claims.length === most && busy.size < concurrency) restMs = 0
        backoffMs = FIRST_BACKOFF_MS
      } catch (error) {
        onError(error)
        restMs = backoffMs * (0.5 + Math.random())
        backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs)
        await rest(restMs)
        continue
      }
      await Promise.race([look.promise, rest(restMs)])
    }
  }

  const rest = (ms: number): Promise<void> =>
    pause(ms, undefined, { signal: stopping.signal }).catch(() => undefined)

  async function listening(): Promise<void> {
    let after: string | null = null
    let backoffMs = FIRST_BACKOFF_MS
    while (!stopping.signal.aborted) {
      const variables = { agent: agent ?? null, after }
      try {
        await door.listen(
          AVAILABLE,
          variables,
          (delivery) => {
            after = cursorIn(delivery) ?? null
            backoffMs = FIRST_BACKOFF_MS
            nudge()
          },
          stopping.signal,
        )
      } catch (error) {
        if (!stopping.signal.aborted) onError(error)
      }
      await rest(backoffMs * (0.5 + Math.random()))
      backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs)
    }
  }

  function begin(claim: Claim): void {
    const work = doTask(door, claim, { handle, leaseSeconds, onError, giving: giving.signal }).catch(onError)
    const done = work.finally(() => {
      busy.delete(done)
      nudge()
    })
    busy.add(done)
  }

  const loops = [claiming(), listening()]
  async function stop(graceMs = 10_000): Promise<void> {
    stopping.abort()
    nudge()
    await Promise.all(loops)
    const timer = new AbortController()
    const late = pause(graceMs, undefined, { signal: timer.signal }).then(
      () => giving.abort(),
      () => undefined,
    )
    await Promise.all(busy)
    timer.abort()
    await late
  }
  return { busy: () => busy.size, stop, [Symbol.asyncDispose]: () => stop() }
}

const AVAILABLE = `subscription ($agent: String, $after: String) {
  tasksAvailable(agent: $agent, after: $after) { cursor }
}`

function cursorIn(delivery: unknown): string | undefined {
  const data = isRecord(delivery) ? delivery['data'] : undefined
  const told = isRecord(data) ? data['tasksAvailable'] : undefined
  return isRecord(told) && typeof told['cursor'] === 'string' ? told['cursor'] : undefined
}

const CLAIMED = `tasks { id token input attempt idempotencyKey step workflowName deadline
  run { id } progress { percent message data } }`

async function claimTasks(door: Door, input: object): Promise<Claim[]> {
  const { tasks } = await door.ask('claimTasks', CLAIMED, input)
  return Array.isArray(tasks) ? tasks.filter(isRecord).map(readClaim) : []
}

function readClaim(claimed: Record<string, unknown>): Claim {
  const { input, deadline, run, progress } = claimed
  return {
    token: String(claimed['token']),
    task: {
      id: String(claimed['id']),
      input: isRecord(input) ? input : {},
      attempt: Number(claimed['attempt']),
      idempotencyKey: String(claimed['idempotencyKey']),
      runId: isRecord(run) ? String(run['id']) : '',
      step: String(claimed['step']),
      workflowName: String(claimed['workflowName']),
      deadline: typeof deadline === 'string' ? new Date(deadline) : null,
      progress: isRecord(progress)
        ? {
            percent: typeof progress['percent'] === 'number' ? progress['percent'] : null,
            message: typeof progress['message'] === 'string' ? progress['message'] : null,
            data: progress['data'],
          }
        : null,
    },
  }
}

interface Work extends Pick<WorkerOptions, 'handle'> {
  leaseSeconds: number
  onError: (error: unknown) => void
  /** Aborts when what is under way is to be given back. */
  giving: AbortSignal
}

/** One claim from its beginning to its answer. */
async function doTask(
  door: Door,
  { task, token }: Claim,
  { handle, leaseSeconds, onError, giving }: Work,
): Promise<void> {
  const lost = new AbortController()
  const over = new AbortController()
  const signal = AbortSignal.any([lost.signal, giving])
  const heart = beat(door, { token, leaseSeconds, lost, over: over.signal, onError })
  const reports = collectReports(door, token, onError)
  let costUsd = 0
  const given = Promise.withResolvers<'given'>()
  signal.addEventListener('abort', () => given.resolve('given'), { once: true })
  try {
    const work = handle(task, {
      signal,
      report: reports.report,
      log(level, message, data) {
        const line = { level: level.toUpperCase(), message, ...(data === undefined ? {} : { data }) }
        door.ask('appendTaskLog', 'task { id }', { token, lines: [line] }).catch(onError)
      },
      cost: (usd) => (costUsd = usd),
    }).then(
      (output) => ({ mutation: 'completeTask', input: { output: output ?? null, costUsd } }),
      (error: unknown) => ({ mutation: 'failTask', input: failureOf(error) }),
    )
    const answer = await Promise.race([work, given.promise])
    await reports.end()
    if (answer !== 'given') await tell(door, answer.mutation, { token, ...answer.input }, lost.signal)
    else if (!lost.signal.aborted) await tell(door, 'releaseTask', { token }, lost.signal)
  } finally {
    over.abort()
    await heart
  }
}

function failureOf(error: unknown): object {
  if (error instanceof TaskFailure) {
    const { code, message, retryable, retryAfterMs = null } = error
    return { code, message, retryable, retryAfterMs }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'HANDLER_FAILED', message: message.slice(0, 2_000), retryable: true }
}

/** Until it is heard, or the claim is over: the same answer by the same claim is taken once. */
async function tell(door: Door, mutation: string, input: object, lost: AbortSignal): Promise<void> {
  for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs)) {
    try {
      await door.ask(mutation, 'task { id }', input)
      return
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.isPassing || lost.aborted) throw error
      await pause(backoffMs * (0.5 + Math.random()), undefined, { signal: lost }).catch(() => undefined)
    }
  }
}

/** Three signs of life a lease. One that is not heard is tried again; the lease's own time is up by our clock too. */
async function beat(
  door: Door,
  {
    token,
    leaseSeconds,
    lost,
    over,
    onError,
  }: {
    token: string
    leaseSeconds: number
    lost: AbortController
    over: AbortSignal
    onError: (error: unknown) => void
  },
): Promise<void> {
  let until = performance.now() + leaseSeconds * 1_000
  for (;;) {
    await pause((leaseSeconds * 1_000) / 3, undefined, { signal: over }).catch(() => undefined)
    if (over.aborted) return
    const asked = performance.now()
    try {
      const { leaseUntil, stop } = await door.ask('heartbeatTask', 'leaseUntil stop', { token, leaseSeconds })
      if (leaseUntil === null || stop === 'CONTAINED') return lost.abort(new Error(String(stop ?? 'TAKEN')))
      until = asked + leaseSeconds * 1_000
    } catch (error) {
      onError(error)
      if (performance.now() > until) return lost.abort(new Error('TAKEN'))
    }
  }
}

/** The first report is sent at once, of the later ones the newest each second. */
function collectReports(door: Door, token: string, onError: (error: unknown) => void) {
  let next: object | undefined
  let sending: Promise<void> | undefined
  const over = new AbortController()

  async function send(): Promise<void> {
    while (next) {
      const report = next
      next = undefined
      await door.ask('reportProgress', 'task { id }', { token, ...report }).catch(onError)
      if (!over.signal.aborted)
        await pause(REPORT_EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined)
    }
    sending = undefined
  }

  return {
    report(progress: object): void {
      next = progress
      sending ??= send()
    },
    /** The last one is sent. */
    async end(): Promise<void> {
      over.abort()
      await sending
    },
  }
}
