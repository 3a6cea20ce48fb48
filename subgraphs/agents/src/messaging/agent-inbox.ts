import { cursorOf, type EventRecord, fail, seqOf, TuttiError } from '@tutti/schema'
import type { Context } from '../context.ts'
import type { AgentMessageRow } from './agent-message.ts'
import { claimMessages } from './claim-messages.ts'
import { inboxOf } from './correspondents.ts'
import { doorbell } from './doorbell.ts'
import { inboxBellOf } from './inbox-bell.ts'
import { leaseSeconds } from './message-lease.ts'
import { readMessages } from './load-agent-messages.ts'

const MOST = 100
/** What rings nobody is found so soon, in milliseconds: after a reader of the log that was too slow. */
const LOOK_MS = 5_000

/** Messages that a subscription brings. */
export interface InboxDelivery {
  cursor: string
  time: Date
  messages: AgentMessageRow[]
}

/** Whose inbox, from where. */
export interface InboxArguments {
  after?: string | null | undefined
  agent?: string | null | undefined
  leaseSeconds?: number | null | undefined
}

/**
 * Brings an agent its messages as `receiveMessages` does: what waits at first, then each as it comes, under a lease, and
 * again what was not acknowledged by its end. An agent's key hears its own inbox alone. Who is no agent and names none
 * watches all inboxes of the organization from the cursor on, and takes nothing out of them. Nothing comes for an agent that
 * is not there, or not the key's. CURSOR_INVALID.
 */
export async function* agentInbox(context: Context, given: InboxArguments): AsyncGenerator<InboxDelivery> {
  if (given.after != null && seqOf(given.after) === null) fail('CURSOR_INVALID', { path: 'after' })
  const lease = leaseSeconds.safeParse(given.leaseSeconds)
  if (!lease.success)
    fail('BAD_INPUT', { path: 'leaseSeconds', message: lease.error.issues[0]?.message ?? 'Not a lease.' })
  if (given.agent == null && context.actor.kind !== 'agent') return yield* watch(context, given.after ?? null)
  const agent = await inboxOf(context.database, context.actor, given.agent).catch((error: unknown) => {
    if (error instanceof TuttiError && error.code === 'NOT_FOUND') return null
    throw error
  })
  if (agent) yield* take(context, agent.id, lease.data)
  else await left(context.signal)
}

async function* take(
  { database, tail, actor, signal }: Context,
  agentId: string,
  lease: number,
): AsyncGenerator<InboxDelivery> {
  const bell = doorbell()
  const leave = inboxBellOf(tail).onMessage(actor.organizationId, agentId, bell.ring)
  signal?.addEventListener('abort', bell.ring, { once: true })
  let place = 0n
  try {
    while (!signal?.aborted) {
      const { messages, nextInMs } = await claimMessages(database, actor, {
        agentId,
        most: MOST,
        leaseSeconds: lease,
      })
      if (messages.length > 0) {
        // What comes again leaves nothing in the log; a cursor that had been there would be taken for a repeat.
        place = max(place + 1n, tail.position())
        yield { cursor: cursorOf(place), time: new Date(), messages }
      } else await bell.wait(Math.min(LOOK_MS, nextInMs ?? LOOK_MS))
    }
  } finally {
    leave()
    signal?.removeEventListener('abort', bell.ring)
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

async function* watch(context: Context, after: string | null): AsyncGenerator<InboxDelivery> {
  const { tail, actor, signal } = context
  const { organizationId } = actor
  const feed = tail.subscribe(
    { organizationId, types: ['message.sent'] },
    { after, ...(signal ? { signal } : {}) },
  )
  for await (const event of feed) {
    const id = messageIn(event)
    const message = id === null ? undefined : (await readMessages(context, [id])).get(id)
    if (message) yield { cursor: cursorOf(event.seq), time: event.time, messages: [message] }
  }
}

const messageIn = ({ data }: EventRecord): string | null =>
  'messageId' in data && 'toAgentId' in data && data.toAgentId !== null ? data.messageId : null

async function left(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
}
