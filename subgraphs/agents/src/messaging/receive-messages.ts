import type { Data } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { AgentMessageRow } from './agent-message.ts'
import { claimMessages } from './claim-messages.ts'
import { inboxOf } from './correspondents.ts'
import { inboxBellOf } from './inbox-bell.ts'
import { doorbell } from './doorbell.ts'
import { leaseSeconds } from './message-lease.ts'
import { waitSeconds } from './wait-seconds.ts'

const MOST = 100

const inputSchema = z.object({
  agent: z.string().nullish(),
  most: z.int().min(1, 'At least 1.').max(MOST, `At most ${MOST}.`).nullish(),
  waitSeconds,
  leaseSeconds,
})

/** What {@link receiveMessages} takes. */
export type ReceiveRequest = z.input<typeof inputSchema>

/**
 * Takes messages out of an inbox under a lease, the most urgent first: what is not acknowledged by its end comes again.
 * Where there are none it waits for the first, as long as is said. BAD_INPUT with every mistake, and as `inboxOf`.
 */
export async function receiveMessages(
  { database, tail }: Pick<Data, 'database' | 'tail'>,
  actor: Actor,
  request: ReceiveRequest,
): Promise<AgentMessageRow[]> {
  const given = parseInput(inputSchema, request)
  const { id: agentId } = await inboxOf(database, actor, given.agent)
  const wanted = { agentId, most: given.most ?? 1, leaseSeconds: given.leaseSeconds }
  const until = performance.now() + 1000 * given.waitSeconds
  const bell = doorbell()
  // Heard before the first look: what comes in between is not missed.
  const leave =
    given.waitSeconds > 0
      ? inboxBellOf(tail).onMessage(actor.organizationId, agentId, bell.ring)
      : () => undefined
  try {
    for (;;) {
      const { messages, nextInMs } = await claimMessages(database, actor, wanted)
      const left = until - performance.now()
      if (messages.length > 0 || left <= 0) return messages
      await bell.wait(Math.min(left, nextInMs ?? left))
    }
  } finally {
    leave()
  }
}
