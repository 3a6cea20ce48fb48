import type { WorkflowNode } from '../../definitions/index.ts'
import type { CoreEvent } from './event.ts'
import type { Move } from './move.ts'
import { cancel } from './steps/cancel.ts'
import { isUndoing, resumeCompensation } from './steps/compensation.ts'
import { pausePath, resumeTurn } from './steps/loop.ts'
import { resumeMessage } from './steps/message.ts'
import { resumeReview } from './steps/review.ts'
import { skip } from './steps/skip.ts'
import { resumeSpread } from './steps/spread.ts'
import { resumeSubworkflow } from './steps/subworkflow.ts'
import { resumeTask } from './steps/task.ts'
import { resumeWait } from './steps/wait.ts'
import { isTaskOver } from './task-status.ts'
import type { Walk } from './walk.ts'

/** What an event about a strand's present task leads to; nothing when it comes too late, or is none for such a task. */
export function resume(walk: Walk, node: WorkflowNode, event: CoreEvent): Move | undefined {
  const { task } = walk.view
  if (!task || isTaskOver(task.status)) return undefined
  if ('attempt' in event && event.attempt !== task.attempt) return undefined
  if (isUndoing(walk, node, task.path)) return resumeCompensation(walk, node, event)
  const isPaused = node.kind === 'loop' && task.path === pausePath(walk, node)
  if (!isPaused && task.path !== walk.pathOf(node.id)) return undefined
  if (event.type === 'task_cancelled') return cancel(walk, node, task.path, event)
  if (isPaused) return resumeTurn(walk, node, event)
  return event.type === 'task_skipped' ? skip(walk, node, event) : resumeStep(walk, node, event)
}

function resumeStep(walk: Walk, node: WorkflowNode, event: CoreEvent): Move | undefined {
  switch (node.kind) {
    case 'task':
      return resumeTask(walk, node, event)
    case 'message':
      return resumeMessage(walk, node, event)
    case 'review':
      return resumeReview(walk, node, event)
    case 'wait':
      return resumeWait(walk, node, event)
    case 'workflow':
      return resumeSubworkflow(walk, node, event)
    case 'parallel':
    case 'map':
      return resumeSpread(walk, node, event)
    case 'condition':
    case 'loop':
    case 'transform':
    case 'end':
      // Done in the call that came to them: no task is theirs.
      return undefined
  }
}
