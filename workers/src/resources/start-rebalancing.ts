import { rebalanceBySchedule } from '@tutti/agents/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

/** Whose turn it is has it this soon. */
const LOOK_MS = 5_000

/**
 * Rebalances the agents of the organizations that said how often. Every process looks; whoever is first has an
 * organization's turn.
 */
export function startRebalancing(
  services: Pick<WorkerServices, 'database' | 'log'>,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): AsyncDisposable {
  const failure = 'agents could not be rebalanced; tried again'
  return lookOften(services, { everyMs: lookMs, failure }, async () => {
    const { errors } = await rebalanceBySchedule(services)
    for (const error of errors) services.log.warn({ err: error }, failure)
  })
}
