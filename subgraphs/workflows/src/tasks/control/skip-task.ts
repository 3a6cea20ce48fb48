import type { Actor } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { readJson } from '../../runs/control/read-json.ts'
import { controlTask, type TaskControl, tellCore } from './control-task.ts'
import { requireNoReview } from './require-no-review.ts'

/**
 * Leaves a task out; the output, if given, stands for its result. INVALID_STATE where people are to decide: of a review, and
 * of what holds one. As {@link controlTask} otherwise.
 */
export async function skipTask(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { output, ...control }: TaskControl & { output?: unknown },
): Promise<void> {
  const value = readJson(output, 'input.output')
  await controlTask(services, actor, control, {
    action: 'skip',
    isSo: ({ status }) => status === 'skipped',
    async act(client, task, reason) {
      await requireNoReview(client, actor, task)
      const given = output === undefined ? {} : { output: value }
      await tellCore(client, actor, task, { type: 'task_skipped', node: task.nodeId, ...given }, reason)
    },
  })
}
