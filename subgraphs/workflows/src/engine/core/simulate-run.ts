import type { WorkflowDefinition } from '../../definitions/index.ts'
import {
  advance,
  canTaskBecome,
  FALLBACK_STATE,
  isRunOver,
  isTaskClaimable,
  isTaskOver,
  isTaskWaiting,
  runStatusAfter,
} from './index.ts'
import type { CoreEvent, RunOutput, RunStatus, TaskStatus, Transition } from './index.ts'

type SimulatedTask = { status: TaskStatus; attempt: number; completions: number; kind: 'agent' | 'review' }

/** What a simulated run came to. */
export type SimulatedRun = {
  readonly status: RunStatus
  readonly tasks: ReadonlyMap<string, SimulatedTask>
  readonly fallbacks: number
  readonly output?: RunOutput | undefined
  /** Events that were delivered again, late, or to a run that was over. */
  readonly refused: number
}

/**
 * Plays one run in memory for the tests of the core, with a world made of the numbers of `seed`: attempts succeed,
 * fail, time out; a crash before the commit loses the event's effect and delivers it again; one after the commit
 * delivers it twice; leases run out, so that two workers do one attempt and both answer; events change places.
 * Everything is applied as a store would, and a transition the store could not apply is an exception.
 */
export function simulateRun(
  definition: WorkflowDefinition,
  input: Record<string, unknown>,
  seed: number,
  cancelled = false,
): SimulatedRun {
  const random = randomNumbers(seed)
  const chance = (share: number) => random() < share
  const tasks = new Map<string, SimulatedTask>()
  const state: Record<string, unknown> = {}
  const mail: CoreEvent[] = [{ type: 'run_started' }]
  if (cancelled) mail.push({ type: 'run_cancelled', reason: 'test' })
  let [status, fallbacks, refused]: [RunStatus, number, number] = ['queued', 0, 0]
  let output: RunOutput | undefined

  const change = (path: string, to: TaskStatus) => {
    const task = tasks.get(path)
    if (!task || !canTaskBecome(task.status, to))
      throw new Error(`${path}: ${task?.status} cannot become ${to}`)
    task.status = to
    return task
  }

  const apply = (transition: Transition) => {
    if (isRunOver(status)) throw new Error(`${transition.type} after the end`)
    if (transition.type === 'create_task') {
      if (tasks.has(transition.path)) throw new Error(`${transition.path} is created twice`)
      tasks.set(transition.path, {
        status: transition.status,
        attempt: 1,
        completions: 0,
        kind: transition.kind,
      })
    } else if (transition.type === 'settle_task') {
      const task = change(transition.path, transition.status)
      if (transition.status === 'completed') task.completions += 1
    } else if (transition.type === 'retry_task') {
      change(transition.path, 'ready').attempt = transition.attempt
    } else if (transition.type === 'write_state') {
      if (transition.name === FALLBACK_STATE) fallbacks += 1
      state[transition.name] = transition.value
    } else if (transition.type === 'complete_run') {
      output = transition.output
    } else if (transition.type === 'cancel_run') {
      for (const [path, task] of tasks) if (!isTaskOver(task.status)) change(path, 'cancelled')
    }
    status = runStatusAfter(status, [transition])
  }

  const deliver = (event: CoreEvent) => {
    const task = 'node' in event ? tasks.get(event.node) : undefined
    const transitions = advance(
      definition,
      { status, input, state: { ...state }, seed: 'run', ...(task ? { task } : {}) },
      event,
    )
    if (transitions.length === 0) refused += 1
    // Killed before the commit: nothing is written, and the event comes again.
    if (chance(0.1)) return void mail.push(event)
    for (const transition of transitions) apply(transition)
    // Killed after the commit, before the acknowledgement.
    if (chance(0.15)) mail.push(event)
  }

  const work = () => {
    for (const [node, task] of tasks) {
      if (isTaskWaiting(task.status))
        mail.push(
          chance(0.1)
            ? { type: 'review_expired', node }
            : { type: 'review_decided', node, outcome: chance(0.5) ? 'approve' : 'reject' },
        )
      if (!isTaskClaimable(task.status)) continue
      task.status = 'running'
      // A lease that ran out: two workers did the same attempt, and do not agree.
      for (let worker = chance(0.2) ? 2 : 1; worker > 0; worker -= 1) mail.push(attempt(node, task.attempt))
    }
  }

  const attempt = (node: string, number: number): CoreEvent => {
    if (chance(0.65))
      return { type: 'task_succeeded', node, attempt: number, output: { value: random(), flag: chance(0.5) } }
    if (chance(0.3)) return { type: 'task_timed_out', node, attempt: number }
    return {
      type: 'task_failed',
      node,
      attempt: number,
      error: { code: 'TEST', message: 'test', retryable: chance(0.8) },
    }
  }

  for (let step = 0; mail.length > 0; step += 1) {
    if (step > 100_000) throw new Error('The run does not end.')
    const [event] = mail.splice(Math.floor(random() * mail.length), 1)
    if (event) deliver(event)
    work()
  }
  return { status, tasks, fallbacks, output, refused }
}

/** mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
