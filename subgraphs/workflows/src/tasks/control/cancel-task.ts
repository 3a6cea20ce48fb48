import type { Actor } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { controlTask, type TaskControl, tellCore } from './control-task.ts'

/**
 * Ends a task for good: its fallback goes on, else what is around it fails with TASK_CANCELLED. Who works on it is told.
 * As {@link controlTask} otherwise.
 */
export async function cancelTask(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  control: TaskControl,
): Promise<void> {
  await controlTask(services, actor, control, {
    action: 'cancel',
    isSo: ({ status }) => status === 'cancelled',
    act: (client, task, reason) =>
      tellCore(
        client,
        actor,
        task,
        {
          type: 'task_cancelled',
          node: task.nodeId,
          error: { code: 'TASK_CANCELLED', message: reason ?? 'Cancelled on request.' },
        },
        reason,
      ),
  })
}
