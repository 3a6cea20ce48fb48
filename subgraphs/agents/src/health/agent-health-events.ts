import { cursorOf, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'

/** Something that happened to an agent's health or a breaker; the agent itself is read when it is asked for. */
export interface HealthEventRow {
  cursor: string
  type: string
  time: Date
  agentId: string | null
  name: string
}

const TYPES = [
  'agent.healthy',
  'agent.unhealthy',
  'breaker.opened',
  'breaker.half_opened',
  'breaker.closed',
] as const
type HealthEvent = EventRecord<(typeof TYPES)[number]>

/** What happens to the health of the caller's agents and to its breakers, after the cursor and then live. CURSOR_INVALID. */
export async function* agentHealthEvents(
  { tail, actor, signal }: Context,
  { after, agentId }: { after?: string | null; agentId?: string | null },
): AsyncGenerator<{ agentHealth: HealthEventRow }> {
  const events = tail.subscribe(
    { organizationId: actor.organizationId, types: TYPES },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of events) {
    // The tail keeps only the types asked for, which its type cannot say.
    const { seq, type, time, data } = event as HealthEvent
    if (agentId != null && data.agentId !== agentId) continue
    yield { agentHealth: { cursor: cursorOf(seq), type, time, agentId: data.agentId, name: data.name } }
  }
}
