import type { NodeId, WorkflowDefinition } from '../../definitions/index.ts'
import { advance } from './advance.ts'
import type { CoreEvent } from './event.ts'
import { isRunOver } from './run-status.ts'
import type { RunView } from './run-view.ts'
import { stepError } from './step-error.ts'
import { isTaskOver } from './task-status.ts'
import type { StepError, Transition } from './transition.ts'

/**
 * What {@link advance} answers, for a shell that has taken the strand up because of the event: it must go on, or nobody
 * ever takes it up again. So an event that the core ignores, or cannot be asked about, fails the step with
 * ENGINE_EVENT_IGNORED; where there is no step to fail, the branch, the item or the run. `node` is that of the strand's
 * present task, if it has one. Nothing only when the run is over.
 */
export function decide(
  definition: WorkflowDefinition,
  view: RunView,
  event: CoreEvent,
  node: NodeId | undefined,
): Transition[] {
  if (isRunOver(view.status)) return []
  const answer = ask(definition, view, event)
  if (Array.isArray(answer) && answer.length > 0) return answer
  const why = Array.isArray(answer) ? '' : `: ${answer.message}`
  const where = view.task?.path ?? view.strand.path
  const error = stepError(
    'ENGINE_EVENT_IGNORED',
    `The engine could do nothing with "${event.type}" at "${where}"${why}`,
  )
  if (node !== undefined) {
    const failed = ask(definition, view, { type: 'task_cancelled', node, error })
    if (Array.isArray(failed) && failed.length > 0) return failed
  }
  return giveUp(view, node ?? '', error)
}

function ask(definition: WorkflowDefinition, view: RunView, event: CoreEvent): Transition[] | Error {
  try {
    return advance(definition, view, event)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function giveUp({ strand, task }: RunView, node: NodeId, error: StepError): Transition[] {
  const end: Transition =
    strand.compound === undefined
      ? { type: 'fail_run', error: { node, ...error } }
      : { type: 'arrive', arrival: { ok: false, error: { node, ...error } } }
  if (!task || isTaskOver(task.status)) return [end]
  const { path } = task
  return [
    { type: 'settle_task', node, path, status: 'cancelled', error },
    { type: 'cancel_children', node, path },
    end,
  ]
}
