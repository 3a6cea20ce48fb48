import type { Actor } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { controlTask, PLACE, refuse, type TaskControl } from './control-task.ts'
import { restartTask } from './restart-task.ts'

/**
 * Tries a task again now: a wait for the next attempt is over, an attempt under way is given up. As {@link controlTask}
 * otherwise.
 */
export async function retryTask(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  control: TaskControl,
): Promise<void> {
  await controlTask(services, actor, control, {
    action: 'retry',
    async act(client, task) {
      if (task.strand.status === 'waiting')
        refuse(task, 'A task that waits is not tried again; complete, skip or cancel it.')
      if (task.strand.status === 'held')
        refuse(task, 'It is held, by a pause, a stop or the bound of its map.')
      if (task.strand.status === 'running') await restartTask(client, actor, task)
      else
        await client.query(
          `update strand s set due_at = least(s.due_at, ${PLACE})
           from run r where r.organization_id = $1 and r.id = s.run_id and s.organization_id = $1 and s.id = $2`,
          [actor.organizationId, task.strand.id],
        )
    },
  })
}
