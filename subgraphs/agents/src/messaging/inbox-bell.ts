import type { Tail } from '@tutti/prisma'
import type { EventRecord } from '@tutti/schema'

/** Tells who waits in this process that something came. */
export interface InboxBell {
  /** Calls `ring` whenever a message came for this agent; answers with how to stop. */
  onMessage(organizationId: string, agentId: string, ring: () => void): () => void
  /** Calls `ring` when a request was answered or has died; answers with how to stop. */
  onAnswer(organizationId: string, requestId: string, ring: () => void): () => void
}

/** One reader of the log for all who wait, while anybody does. */
function createInboxBell(tail: Tail): InboxBell {
  const waiting = new Map<string, Set<() => void>>()
  let reading: AbortController | undefined

  async function read(signal: AbortSignal): Promise<void> {
    for await (const events of tail.follow(tail.position(), signal))
      for (const event of events)
        for (const key of keysOf(event)) for (const ring of waiting.get(key) ?? []) ring()
  }

  function start(): void {
    const mine = new AbortController()
    reading = mine
    // A reader that was too slow begins anew; who waits looks again in between.
    read(mine.signal)
      .catch(() => undefined)
      .finally(() => {
        if (reading !== mine) return
        reading = undefined
        for (const rings of waiting.values()) for (const ring of rings) ring()
      })
  }

  function wait(key: string, ring: () => void): () => void {
    const rings = waiting.get(key) ?? new Set()
    waiting.set(key, rings.add(ring))
    if (!reading) start()
    return () => {
      rings.delete(ring)
      if (rings.size === 0 && waiting.get(key) === rings) waiting.delete(key)
      if (waiting.size > 0) return
      reading?.abort()
      reading = undefined
    }
  }

  return {
    onMessage: (organizationId, agentId, ring) => wait(`${organizationId}/inbox/${agentId}`, ring),
    onAnswer: (organizationId, requestId, ring) => wait(`${organizationId}/answer/${requestId}`, ring),
  }
}

function keysOf({ organizationId, type, data }: EventRecord): string[] {
  if (type === 'message.sent' && 'toAgentId' in data && 'requestId' in data)
    return [
      ...(data.toAgentId === null ? [] : [`${organizationId}/inbox/${data.toAgentId}`]),
      ...(data.requestId === null ? [] : [`${organizationId}/answer/${data.requestId}`]),
    ]
  if (type === 'message.dead_lettered' && 'messageId' in data)
    return [`${organizationId}/answer/${data.messageId}`]
  return []
}

const bells = new WeakMap<Tail, InboxBell>()

/** The one bell of a tail. */
export function inboxBellOf(tail: Tail): InboxBell {
  const before = bells.get(tail)
  if (before) return before
  const bell = createInboxBell(tail)
  bells.set(tail, bell)
  return bell
}
