import { type Actor, fail } from '@tutti/schema'
import { isId } from '@tutti/runtime'
import type { Services } from '../../context.ts'
import { controlTask, refuse, type TaskControl } from './control-task.ts'
import { restartTask } from './restart-task.ts'

interface AgentRow {
  id: string
  name: string
  retired_at: Date | null
}

/**
 * Gives a task to another agent; who has it now is told, and its answer refused. As {@link controlTask} otherwise, and
 * NOT_FOUND with the path `input.agentId`, INVALID_STATE when that agent was taken out of service.
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
      await client.query(
        'update task set agent_id = $3, agent_name = $4, agent_version = null where organization_id = $1 and id = $2',
        [actor.organizationId, task.id, agent.id, agent.name],
      )
      await client.query('update strand set agent_id = $3 where organization_id = $1 and id = $2', [
        actor.organizationId,
        task.strand.id,
        agent.id,
      ])
      if ((task.strand.status === 'running' || task.isOutside) && task.agentId !== agent.id)
        await restartTask(client, actor, task)
    },
  })
}
