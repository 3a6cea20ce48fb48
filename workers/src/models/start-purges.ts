import type { EventRecord } from '@tutti/schema'
import type { Consumer } from '../consumers/start-consumer.ts'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'
import type { ResponseCache } from './response-cache.ts'

const AGAIN_MS = 1_000

/** Forgets in this process, and in Redis, what is purged anywhere: every process hears of it, and of what it missed forgets all. */
export function startPurges(
  { tail, log }: Pick<WorkerServices, 'tail' | 'log'>,
  responses: ResponseCache,
): AsyncDisposable {
  const failure = 'what was purged could not be heard of; the answers in memory are forgotten'
  return lookOften({ log }, { everyMs: AGAIN_MS, failure }, async (signal) => {
    const pages = tail.follow(tail.position(), signal)
    responses.forget()
    for await (const events of pages) {
      for (const event of events)
        await purge(responses, event).catch((error: unknown) =>
          log.warn({ err: error }, 'answers that were purged could not be forgotten'),
        )
    }
  })
}

/** Forgets in Redis what was purged while no process of ours was there to hear of it. */
export function purgeRedis(responses: ResponseCache): Consumer {
  return {
    name: 'purge-responses',
    // What can fail is Redis, for all; what was purged must not be answered with again.
    failing: 'wait',
    async handle(events) {
      for (const event of events) await purge(responses, event)
    },
  }
}

async function purge(responses: ResponseCache, { organizationId, type, data }: EventRecord): Promise<void> {
  if (type === 'cache.purged' && 'deleted' in data && 'agentId' in data)
    await responses.purge(organizationId, { modelId: data.modelId, agentId: data.agentId })
}
