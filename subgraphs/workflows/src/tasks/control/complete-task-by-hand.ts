import { type Actor, fail, isRecord } from '@tutti/schema'
import type { Services } from '../../context.ts'
import type { CoreEvent } from '../../engine/core/index.ts'
import { readJson } from '../../runs/control/read-json.ts'
import { controlTask, type OpenTask, refuse, type TaskControl, tellCore } from './control-task.ts'
import { requireNoReview } from './require-no-review.ts'

/**
 * Completes a task with a result that somebody gives in the place of who was to bring it: an agent's, a message's, that
 * of a wait, of a sub-workflow. Its schemas apply. INVALID_STATE where people are to decide. As {@link controlTask} otherwise.
 */
export async function completeTaskByHand(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { output, ...control }: TaskControl & { output: unknown },
): Promise<void> {
  const value = readJson(output, 'input.output')
  await controlTask(services, actor, control, {
    action: 'complete',
    isSo: ({ status }) => status === 'completed',
    async act(client, task, reason) {
      await requireNoReview(client, actor, task)
      await tellCore(client, actor, task, eventOf(task, value), reason)
    },
  })
}

function eventOf(task: OpenTask, output: unknown): CoreEvent {
  const { nodeId: node, attempt, kind } = task
  switch (kind) {
    case 'agent':
    case 'message':
      return { type: 'task_succeeded', node, attempt, output }
    case 'wait':
      return { type: 'wait_over', node, payload: output }
    case 'workflow':
      if (!isRecord(output))
        fail('BAD_INPUT', { path: 'input.output', message: 'The outputs of a workflow are an object.' })
      return { type: 'child_run_ended', node, status: 'completed', output }
    default:
      return refuse(task, 'Its result comes from its branches or items; complete those, or skipTask.')
  }
}
