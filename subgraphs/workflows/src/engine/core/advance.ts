import type { WorkflowDefinition } from '../../definitions/index.ts'
import type { CoreEvent } from './event.ts'
import { entryOf, follow } from './follow.ts'
import { enter } from './move.ts'
import type { Move } from './move.ts'
import { programOf } from './program.ts'
import { resume } from './resume.ts'
import { isRunOver, isRunQueued } from './run-status.ts'
import type { RunView } from './run-view.ts'
import { compensate, takeBack } from './steps/compensation.ts'
import { isTaskOver } from './task-status.ts'
import type { Transition } from './transition.ts'
import { Walk } from './walk.ts'

/** Nodes that one call enters before a loop rests. */
const MOST_STEPS = 1_000

/**
 * The engine's pure core: what is to be written because of an event on one strand. No clock, no I/O, no randomness.
 *
 * An event that comes twice, late (of an earlier attempt), or after the run's end gives no transitions. The view must
 * be of the moment, so lock the rows first. What the engine does itself (conditions, transforms, loops) happens here,
 * chains of it in one call; a call costs what it writes, whatever the size of the run.
 *
 * Failures: an attempt that failed, timed out or gave what does not fit its schema is retried while the policy allows;
 * then the step's `failed` edge is taken, once a run (in a body: once a pass); without one, what is around it fails: the
 * loop, the branch or item, in the end the run, which first undoes what completed and can be undone.
 *
 * @throws Error when the event names a node that the definition does not have: a mix-up of versions in the caller.
 */
export function advance(definition: WorkflowDefinition, view: RunView, event: CoreEvent): Transition[] {
  if (isRunOver(view.status)) return []
  if (event.type === 'run_cancelled')
    return [{ type: 'cancel_run', ...(event.reason === undefined ? {} : { reason: event.reason }) }]
  const walk = new Walk(programOf(definition), view, { left: MOST_STEPS })
  const move = firstMove(walk, event)
  if (move) follow(walk, move)
  return walk.transitions
}

function firstMove(walk: Walk, event: Exclude<CoreEvent, { type: 'run_cancelled' }>): Move | undefined {
  const { program, view } = walk
  const { task, strand } = view
  if (event.type === 'run_started')
    return isRunQueued(view.status) && !task ? enter(program.definition.entry, undefined) : undefined
  if (event.type === 'strand_started') {
    if (task || strand.compound === undefined) return undefined
    return enter(entryOf(program.node(strand.compound), strand.key), strand.compound)
  }
  if (event.type === 'step_entered') {
    const { id, parent } = program.node(event.node)
    return task ? undefined : enter(id, parent)
  }
  if (event.type === 'run_taken_back') return takeBack(walk, event)
  if (event.type === 'compensation_listed')
    return task && !isTaskOver(task.status) ? undefined : compensate(walk, event)
  return resume(walk, program.node(event.node), event)
}
