import { proveStops } from '@tutti/workflows/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 500

/**
 * Sees to it that orders to stop hold, and that their record says when the last task stopped. Every process looks, twice
 * a second; where no order stands, that is one look at an empty index. `wake` is called when something was let go.
 */
export function startContainment(
  services: Pick<WorkerServices, 'database' | 'log'>,
  wake: () => void,
): AsyncDisposable {
  const failure = 'orders to stop could not be looked at'
  return lookOften(services, { everyMs: LOOK_MS, failure }, async () => {
    if (await proveStops(services)) wake()
  })
}
