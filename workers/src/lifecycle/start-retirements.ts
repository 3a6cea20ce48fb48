import {
  findLeavingAgents,
  finishRetirement,
  type LeavingAgent,
  noteHandedOver,
  readRetirement,
} from '@tutti/agents/domain'
import { handOverWork, workOfAgent } from '@tutti/workflows/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

type Services = Pick<WorkerServices, 'database' | 'log'>

/**
 * Sees agents out: their work goes to others that can do it, what is under way ends within its time or is handed over
 * too, and then they are retired. Work that reaches one that is gone goes to another as soon as there is one. Every
 * process looks, once a second. `wake` tells the runners of tasks that there is work.
 */
export function startRetirements(services: Services, wake: () => void): AsyncDisposable {
  const failure = 'agents on their way out could not be looked at'
  return lookOften(services, { everyMs: LOOK_MS, failure }, (signal) => seeOut(services, wake, signal))
}

async function seeOut(services: Services, wake: () => void, signal: AbortSignal): Promise<void> {
  for (const agent of await findLeavingAgents(services.database.pool('worker'))) {
    if (signal.aborted) return
    try {
      await workRetirement({ ...services, wake }, agent)
    } catch (error) {
      services.log.warn({ err: error, agentId: agent.agentId }, 'an agent could not be seen out; tried again')
    }
  }
}

/** One look at one agent on its way out, or gone. */
export async function workRetirement(
  services: Pick<Services, 'database'> & { wake(): void },
  agent: LeavingAgent,
): Promise<void> {
  const { database } = services
  const retirement = agent.status === 'draining' ? await readRetirement(services, agent) : undefined
  const { handedOver, underWay } = await handOverWork(services, {
    ...agent,
    force: retirement?.isOverdue ?? false,
  })
  await noteHandedOver(services, agent, handedOver)
  // Until every process knows that it takes no work, one may begin some.
  if (!retirement?.isKnown || underWay > 0) return
  await finishRetirement(services, agent, await workOfAgent(database, agent.organizationId, agent.agentId))
}
