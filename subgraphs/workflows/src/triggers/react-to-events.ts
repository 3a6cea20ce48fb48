import type { EventRecord } from '@tutti/schema'
import type { Services } from '../context.ts'
import { namesOfEvent } from '../engine/event-facts.ts'
import { wakeEventWaits } from '../engine/wake-waiting.ts'
import { createEventInterest } from './event-interest.ts'
import { fireEventTriggers } from './fire-event-triggers.ts'

/** What the log's events set going: triggers that start runs, and runs that wait. */
export interface EventReactions {
  /** Every event of every tenant, in order. What is handled again sets nothing going again. */
  handle(events: readonly EventRecord[]): Promise<void>
  /** Reading begins anew: somebody else may have read meanwhile. */
  begin(): void
}

/** `onFired` is told when firings were noted. */
export function createEventReactions(
  services: Pick<Services, 'database' | 'wake'>,
  onFired: () => void,
): EventReactions {
  const interest = createEventInterest(services.database)

  return {
    begin: () => interest.forget(),
    async handle(events) {
      // What changes an interest is told in this log before what it is interested in.
      for (const event of events) if (changesInterest(event)) interest.forget(event.organizationId)
      const interests = await interest.of([...new Set(events.map((event) => event.organizationId))])
      const fired = await fireEventTriggers(
        services.database,
        events.map((event) => ({ event, triggers: interests.get(event.organizationId)?.triggers ?? [] })),
      )
      if (fired) onFired()
      for (const event of events) {
        const keys = interests.get(event.organizationId)?.waitKeys
        if (!keys || keys.size === 0) continue
        const [type] = namesOfEvent(event)
        if (keys.has(`event:${type}`)) await wakeEventWaits(services, event)
      }
    },
  }
}

function changesInterest({ type, data }: EventRecord): boolean {
  if (type === 'trigger.changed') return true
  return type === 'task.waiting' && 'waitsFor' in data && data.waitsFor === 'event'
}
