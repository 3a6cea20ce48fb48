import { setTimeout as wait } from 'node:timers/promises'
import { findOperations, workOperation } from '@tutti/workflows/domain'
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
  const stopping = new AbortController()
  const { signal } = stopping

  async function workOff(): Promise<void> {
    for (let worked = true; worked && !signal.aborted;) {
      worked = false
      for (const operation of await findOperations(database.pool('worker'))) {
        if (signal.aborted) return
        if (await workOne(operation)) worked = true
      }
    }
  }

  async function workOne(operation: Parameters<typeof workOperation>[1]): Promise<boolean> {
    try {
      return await workOperation(worker, operation)
    } catch (error) {
      log.warn({ err: error, operationId: operation.id }, 'an operation failed; tried again')
      return false
    }
  }

  const loop = (async () => {
    while (!signal.aborted) {
      await workOff().catch((error: unknown) => log.warn({ err: error }, 'operations could not be looked at'))
      await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  })()

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
