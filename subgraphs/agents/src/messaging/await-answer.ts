import { isId, parseInput } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { AgentMessageRow } from './agent-message.ts'
import { doorbell } from './doorbell.ts'
import { inboxBellOf } from './inbox-bell.ts'
import { loadAgentMessages, readMessages } from './load-agent-messages.ts'
import { waitSeconds } from './wait-seconds.ts'

/** A request and what became of it so far. */
export interface AgentRequest {
  id: string
  message: AgentMessageRow
  /** Null: there is none, or none yet. */
  answer: AgentMessageRow | null
}

/**
 * A request with its answer, waiting for one as long as is said. An agent's key sees what its agent asked or was asked. Null
 * when there is none; BAD_INPUT for a wait that is too long.
 */
export async function awaitAnswer(
  context: Context,
  given: { id: string; waitSeconds?: number | null | undefined },
): Promise<AgentRequest | null> {
  const { id } = given
  const { seconds } = parseInput(
    z.object({ seconds: waitSeconds }),
    { seconds: given.waitSeconds },
    'waitSeconds',
  )
  if (!isId(id)) return null
  const { tail, actor } = context
  const until = performance.now() + 1000 * seconds
  const bell = doorbell()
  const leave =
    seconds > 0 ? inboxBellOf(tail).onAnswer(actor.organizationId, id, bell.ring) : () => undefined
  try {
    for (;;) {
      const message = (await loadAgentMessages(context, [id])).get(id)
      if (message?.kind !== 'request') return null
      const left = until - performance.now()
      if (message.responseId !== null || message.status === 'dead' || left <= 0)
        return { id, message, answer: await answerTo(context, message) }
      await bell.wait(left)
    }
  } finally {
    leave()
  }
}

/** Whoever may see the request may see its answer. */
export async function answerTo(
  context: Context,
  { responseId }: AgentMessageRow,
): Promise<AgentMessageRow | null> {
  if (responseId === null) return null
  return (await readMessages(context, [responseId])).get(responseId) ?? fail('INTERNAL')
}
