import { agentExecutor, type DueCheck, noteCheck, takeDueChecks, watchNewAgents } from '@tutti/agents/domain'
import { lookOften } from '../look-often.ts'
import { workerActor, type WorkerServices } from '../worker-services.ts'
import { probe, type ProbeServices } from './probes.ts'

const LOOK_MS = 1_000
const NEW_AGENTS_MS = 60_000

/**
 * Looks at the agents outside, of every tenant, each as often as its settings say. Every process does so; an agent that is
 * due is taken by one of them.
 */
export function startHealthChecks(
  services: ProbeServices & Pick<WorkerServices, 'log'>,
  { lookMs = LOOK_MS, newAgentsMs = NEW_AGENTS_MS }: { lookMs?: number; newAgentsMs?: number } = {},
): AsyncDisposable {
  const { log } = services

  async function check({ organizationId, agentId }: DueCheck): Promise<void> {
    const actor = workerActor(organizationId)
    const agent = await agentExecutor(services, actor, agentId)
    const result = await probe(services, organizationId, agent)
    await noteCheck(services, actor, agent, result, agent.reliability.health)
  }

  let watched = Number.NEGATIVE_INFINITY
  const failure = 'agents that are due could not be looked at'
  return lookOften(services, { everyMs: lookMs, failure }, async () => {
    if (performance.now() - watched >= newAgentsMs) {
      watched = performance.now()
      await watchNewAgents(services)
    }
    const due = await takeDueChecks(services)
    for (const result of await Promise.allSettled(due.map(check)))
      if (result.status === 'rejected') log.warn({ err: result.reason }, 'an agent could not be looked at')
  })
}
