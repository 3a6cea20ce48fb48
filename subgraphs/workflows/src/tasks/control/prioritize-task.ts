import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { controlTask, PLACE, type TaskControl } from './control-task.ts'

const MOST = 10

/**
 * Moves a task in the queue: -10 to 10, a step up is worth an hour of waiting. A wait for the next attempt stays. As
 * {@link controlTask} otherwise, and BAD_INPUT for another number.
 */
export async function prioritizeTask(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { priority, ...control }: TaskControl & { priority: number },
): Promise<void> {
  if (Math.abs(priority) > MOST)
    fail('BAD_INPUT', { path: 'input.priority', message: `A priority is -${MOST} to ${MOST}.` })
  await controlTask(services, actor, control, {
    action: 'prioritize',
    async act(client, task) {
      const of = [actor.organizationId, task.strand.id]
      await client.query('update strand set priority = $3 where organization_id = $1 and id = $2', [
        ...of,
        priority,
      ])
      await client.query(
        `update strand s set due_at = ${PLACE}
         from run r where r.organization_id = $1 and r.id = s.run_id and s.organization_id = $1 and s.id = $2
           and s.status = 'ready' and s.due_at <= clock_timestamp()`,
        of,
      )
    },
  })
}
