import type { ClaimedTask } from '../worker/claimed-task.ts'
import type { Process } from './process.ts'
import type { Outcome } from './record-events.ts'
import { suspend, type World } from './world.ts'

/** An agent whose work kills the process that does it. */
export const DEADLY = 'deadly'

/**
 * Does one task: calls an outside system once, with the task's key, and takes its time. Whoever does the same task again
 * may come to something else.
 */
export function execute(
  world: World,
  process: Process,
  task: ClaimedTask,
  end: (outcome: Outcome) => void,
): void {
  const { random, mood, invariants } = world
  const isLong = random.chance(mood.long)
  const ms = isLong ? random.between(500, 9_000) : random.between(0.2, random.chance(0.2) ? 120 : 8)
  const crash = random.chance(mood.crash)
  const isSuspended = random.chance(mood.suspend)
  const callAt = ms * random.next()
  const dieAt = ms * random.next()
  const outcome = outcomeOf(world, task)
  if (task.agentName === DEADLY) {
    process.after(random.between(0, 5), () => {
      world.counts.add('a deadly task killed its worker')
      process.kill()
    })
    return
  }
  process.after(callAt, () => invariants.called(world.worker.keyOf(task), task))
  if (crash)
    process.after(dieAt, () => {
      world.counts.add('execute: dies within')
      world.note?.(`${process.name} dies: at ${task.stepPath}`)
      process.kill()
    })
  if (isSuspended) process.after(dieAt, () => suspend(world, process, 'execute'))
  process.after(ms, () => end(outcome))
}

function outcomeOf({ random, mood }: World, { stepPath: at, attempt }: ClaimedTask): Outcome {
  if (!random.chance(mood.failing))
    return {
      type: 'succeeded',
      output: { at, attempt, flag: random.chance(0.5), tag: random.whole(0, 1_000_000) },
    }
  const retryable = random.chance(0.8)
  return { type: 'failed', error: { code: 'TEST', message: 'It went wrong.', retryable } }
}
