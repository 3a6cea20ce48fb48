import { deleteExpiredLogs } from '@tutti/workflows/domain'
import type { WorkerServices } from '../worker-services.ts'

const EVERY_MS = 10 * 60 * 1000

/** Takes away the lines of tasks whose time is over, of every tenant. Looks every ten minutes; several workers may. */
export function startLogRetention({
  database,
  log,
}: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  let sweeping: Promise<void> | undefined
  let stopping = false
  const sweep = async (): Promise<void> => {
    try {
      while (!stopping && (await deleteExpiredLogs({ database })) > 0);
    } catch (error) {
      log.warn({ err: error }, 'expired lines could not be taken away')
    } finally {
      sweeping = undefined
    }
  }
  const timer = setInterval(() => {
    sweeping ??= sweep()
  }, EVERY_MS)
  return {
    async [Symbol.asyncDispose]() {
      stopping = true
      clearInterval(timer)
      await sweeping
    },
  }
}
