import { type Actor, fail } from '@tutti/schema'
import { isId } from '@tutti/runtime'
import type { Services } from '../../context.ts'
import { controlTask, refuse, type TaskControl } from './control-task.ts'
import { giveTask } from './give-task.ts'
import { restartTask } from './restart-task.ts'

interface AgentRow {
  id: string
  name: string
  retired_at: Date | null
}

/**
 * Gives a task to another agent; who has it now is told, and its answer refused. What people are asked about it is taken
 * back, and the other agent asks for itself. As {@link controlTask} otherwise, and NOT_FOUND with the path `input.agentId`, INVALID_STATE when that agent was taken out of service.
 */
export async function reassignTask(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { agentId, ...control }: TaskControl & { agentId: string },
): Promise<void> {
  await controlTask(services, actor, control, {
    action: 'reassign',
    async act(client, task) {
      if (task.kind !== 'agent')
        refuse(task, `Only an agent's task has an agent; this is one of kind ${task.kind}.`)
      const { rows } = await client.query<AgentRow>(
        'select id, name, retired_at from agent where organization_id = $1 and id = $2',
        [actor.organizationId, isId(agentId) ? agentId : null],
      )
      const agent = rows[0] ?? fail('NOT_FOUND', { path: 'input.agentId' })
      if (agent.retired_at)
        fail('INVALID_STATE', { path: 'input.agentId', message: 'The agent was taken out of service.' })
      if (task.agentId === agent.id) return
      await giveTask(client, actor, task, agent)
      // Also where it waits for people: they were asked about the other agent.
      if (task.strand.status === 'running' || task.strand.status === 'waiting')
        await restartTask(client, actor, task)
    },
  })
}
