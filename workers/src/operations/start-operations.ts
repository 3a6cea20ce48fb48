import { findOperations, workOperation } from '@tutti/workflows/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

/** An operation is begun this soon, and after the death of who worked on it taken up again. */
const LOOK_MS = 1_000

/**
 * Works off acts of control on many runs, of every tenant, a chunk of each tenant's oldest in turn. Every process does
 * so; an operation is in one's hands at a time. `wake` tells the runners of tasks that runs may go on.
 */
export function startOperations(
  services: Pick<WorkerServices, 'database' | 'log'>,
  wake: () => void,
): AsyncDisposable {
  const { database, log } = services
  const worker = { database, wake }

  async function workOne(operation: Parameters<typeof workOperation>[1]): Promise<boolean> {
    try {
      return await workOperation(worker, operation)
    } catch (error) {
      log.warn({ err: error, operationId: operation.id }, 'an operation failed; tried again')
      return false
    }
  }

  const failure = 'operations could not be looked at'
  return lookOften(services, { everyMs: LOOK_MS, failure }, async (signal) => {
    let worked = false
    for (const operation of await findOperations(database.pool('worker'))) {
      if (signal.aborted) return false
      if (await workOne(operation)) worked = true
    }
    return worked
  })
}
