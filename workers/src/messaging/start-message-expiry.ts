import { endOverdueMessages } from '@tutti/agents/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

/** Ends messages of every tenant that are out of time, requests that nobody answered too, within a second or two. Every process does so. */
export function startMessageExpiry(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'messages that are out of time could not be ended; tried again'
  return lookOften(
    services,
    { everyMs: LOOK_MS, failure },
    async () => (await endOverdueMessages(services)) > 0,
  )
}
