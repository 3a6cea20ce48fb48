import { settleDueResources } from '@tutti/agents/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

/** A lease that is over is another's this soon. */
const LOOK_MS = 500

/** Ends leases and windows of shared resources and serves who waits, of every tenant. Every process does so. */
export function startResources(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'resources could not be settled; tried again'
  return lookOften(
    services,
    { everyMs: LOOK_MS, failure },
    async () => void (await settleDueResources(services)),
  )
}
