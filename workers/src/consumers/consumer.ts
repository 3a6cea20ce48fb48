import type { EventRecord } from '@tutti/schema'

/** Reacts to the event log, each event at least once, in order. Handlers are idempotent by the event's id. */
export interface Consumer {
  /** Its stored position bears this name; changing it means starting over. */
  name: string
  handle(events: readonly EventRecord[]): Promise<void>
  /**
   * What becomes of an event that it cannot handle, ever. `put_aside`: it is written down, with an incident of its tenant,
   * and all others go on. `wait`: everything waits for it, also of other tenants; for what may leave out nothing.
   */
  failing: 'put_aside' | 'wait'
  /** Events are gathered for so long, in milliseconds, and handled together; at once unless given. */
  gatherMs?: number
  /** Told when this process begins to read, from the stored position: somebody else may have read before. */
  begin?(): void
  /** Told when it reads no longer: it stops, or somebody else goes on. */
  end?(): void
}
