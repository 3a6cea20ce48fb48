import { createEventReactions } from '@tutti/workflows/domain'
import type { Consumer } from '../consumers/start-consumer.ts'
import type { WorkerServices } from '../worker-services.ts'

/**
 * Fires event triggers and wakes runs that wait for events, once for each event. `onFired` is told when firings were
 * noted or schedules changed, `wake` when runs go on.
 */
export function reactToEvents(
  services: Pick<WorkerServices, 'database'>,
  onFired: () => void,
  wake: () => void,
): Consumer {
  const reactions = createEventReactions({ database: services.database, wake }, onFired)
  return {
    name: 'react-to-events',
    failing: 'put_aside',
    begin: () => reactions.begin(),
    async handle(events) {
      await reactions.handle(events)
      if (events.some(({ type }) => type === 'trigger.changed')) onFired()
    },
  }
}
