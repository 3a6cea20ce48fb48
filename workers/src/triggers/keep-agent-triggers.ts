import { agentTriggers } from '@tutti/agents/domain'
import { TuttiError } from '@tutti/schema'
import { syncAgentTriggers } from '@tutti/workflows/domain'
import type { Consumer } from '../consumers/start-consumer.ts'
import { workerActor, type WorkerServices } from '../worker-services.ts'

/** What may change which triggers an agent has. */
const CHANGES: ReadonlySet<string> = new Set([
  'agent.registered',
  'agent.version_served',
  'agent.draining',
  'agent.retired',
  'agent.restored',
  'deployment.completed',
])

/** Keeps the triggers that agents' configurations ask for what they ask for, by how the agents are when it looks. */
export function keepAgentTriggers(services: Pick<WorkerServices, 'database' | 'log'>): Consumer {
  const { log } = services

  async function keep(organizationId: string, agentId: string): Promise<void> {
    const actor = workerActor(organizationId)
    const wishes = await agentTriggers(services, actor, agentId)
    if (!wishes) return
    try {
      for (const { wanted, problem } of await syncAgentTriggers(services, actor, wishes))
        log.warn({ organizationId, agentId, wanted }, `a trigger of an agent cannot be: ${problem}`)
    } catch (error) {
      // What is refused now would be refused again: the others' triggers do not wait for it.
      if (!(error instanceof TuttiError) || error.retryable) throw error
      log.warn({ err: error, organizationId, agentId }, 'the triggers of an agent were refused')
    }
  }

  return {
    name: 'agent-triggers',
    failing: 'put_aside',
    async handle(events) {
      const changed = new Map<string, string>()
      for (const { type, organizationId, data } of events)
        if (CHANGES.has(type) && 'agentId' in data && typeof data.agentId === 'string')
          changed.set(data.agentId, organizationId)
      for (const [agentId, organizationId] of changed) await keep(organizationId, agentId)
    },
  }
}
