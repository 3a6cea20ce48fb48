import type { Database } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import { readLastReport } from '../../tasks/progress/report-progress.ts'
import type { TaskNode } from '../../definitions/index.ts'
import { type AttemptError, stepError } from '../core/index.ts'
import { UNDO } from '../core/steps/compensation.ts'
import type { EngineMemory } from '../store/engine-memory.ts'
import type { ClaimedTask } from './claimed-task.ts'
import { type Heart, startHeart } from './heart.ts'
import type { AttemptOutcome, TaskOutcome } from './outcome.ts'

/**
 * Does one task. `signal` aborts when the lease is lost or the attempt's time is up; its answer is then ignored. `beat`
 * is called at each sign of life, for steps with a `heartbeat_timeout`.
 */
export type ExecuteTask = (
  task: ClaimedTask,
  signal: AbortSignal,
  beat?: () => void,
) => Promise<AttemptOutcome>

/**
 * What is done about an attempt that gave no result in its time, or of which nothing was heard: what it answers, that very
 * failure or another outcome, is what the attempt came to.
 */
export type RecoverOverdue = (
  task: ClaimedTask,
  failure: TaskOutcome & { type: 'failed' },
) => Promise<TaskOutcome>

/** What attempts are made with. */
export interface AttemptServices {
  database: Database
  memory: Pick<EngineMemory, 'definitions'>
  execute: ExecuteTask
  recoverOverdue?: RecoverOverdue | undefined
  log: Log
}

/**
 * One attempt, within its time and its step's heartbeat. An executor that throws has failed and may be tried again, and
 * so may one of which nothing was heard for too long.
 */
export async function runAttempt(
  services: AttemptServices,
  task: ClaimedTask,
  { versionId, abort }: { versionId: string; abort: AbortController },
): Promise<AttemptOutcome> {
  const { execute, log } = services
  const ended = Promise.withResolvers<{ overdue: AttemptError }>()
  const timer = setTimeout(() => {
    abort.abort(new Error('STEP_TIMED_OUT'))
    const error = stepError('STEP_TIMED_OUT', `No result within ${task.timeoutMs} ms.`)
    ended.resolve({ overdue: { ...error, retryable: true } })
  }, task.timeoutMs)
  using heart = heartOf(services, task, { versionId, abort }, (limitMs) => {
    abort.abort(new Error('HEARTBEAT_TIMEOUT'))
    const error = stepError('HEARTBEAT_TIMEOUT', `Nothing was heard of the attempt for ${limitMs} ms.`)
    ended.resolve({ overdue: { ...error, retryable: true } })
  })
  try {
    const step = await stepOf(services, task, versionId)
    if (step?.node.governs) task.governs = step.node.governs
    if (step?.isPlanned) task.isPlanned = true
    const came = await Promise.race([execute(task, abort.signal, heart.beat), ended.promise])
    return 'overdue' in came ? await afterOverdue(services, task, came.overdue) : came
  } catch (error) {
    log.warn({ err: error, taskId: task.id }, 'an executor threw')
    const message = error instanceof Error ? error.message : String(error)
    return { type: 'failed', error: { code: 'EXECUTOR_FAILED', message, retryable: true } }
  } finally {
    clearTimeout(timer)
  }
}

async function afterOverdue(
  { recoverOverdue, log }: AttemptServices,
  task: ClaimedTask,
  error: AttemptError,
): Promise<AttemptOutcome> {
  const failure = { type: 'failed' as const, error }
  const outcome = await recoverOverdue?.(task, failure).catch((reason: unknown) => {
    log.warn({ err: reason, taskId: task.id }, 'nothing could be done about an attempt whose time was over')
    return failure
  })
  if (outcome && outcome !== failure) return outcome
  return error.code === 'STEP_TIMED_OUT' ? { type: 'timed_out' } : failure
}

/** The task's step; none when the task undoes it: that is another agent's work, of which nothing is said there. */
async function stepOf(
  { database, memory }: AttemptServices,
  { organizationId, nodeId, stepPath }: ClaimedTask,
  versionId: string,
): Promise<{ node: TaskNode; isPlanned: boolean } | undefined> {
  if (stepPath.endsWith(UNDO)) return undefined
  const known = await memory.definitions.get(database.pool('worker'), [{ organizationId, id: versionId }])
  const definition = known.get(versionId)
  const node = definition?.nodes[nodeId]
  return node?.kind === 'task' ? { node, isPlanned: definition?.planned !== undefined } : undefined
}

function heartOf(
  services: AttemptServices,
  task: ClaimedTask,
  { versionId, abort }: { versionId: string; abort: AbortController },
  onSilent: (limitMs: number) => void,
): Heart {
  const { database, log } = services
  return startHeart({
    limit: async () => (await stepOf(services, task, versionId))?.node.heartbeatMs,
    // Of what is given up nothing is asked any more.
    outside: async () => (abort.signal.aborted ? 0 : ((await readLastReport(database, task))?.ageMs ?? null)),
    onSilent,
    onError: (error) => log.warn({ err: error, taskId: task.id }, 'a heartbeat could not be looked at'),
  })
}
