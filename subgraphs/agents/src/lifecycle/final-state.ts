import { z } from 'zod'
import type { Context } from '../context.ts'
import { ownAgentId } from '../messaging/load-agent-messages.ts'

const withInbox = z.looseObject({
  inbox: z.looseObject({ messages: z.array(z.looseObject({ body: z.unknown() })) }),
})

/**
 * An agent's final state for who asks. What its messages say is for those who may read them: an agent's key reads its own
 * agent's alone.
 */
export async function finalStateFor(
  context: Context,
  agentId: string,
  finalState: unknown,
): Promise<unknown> {
  const { data: state } = withInbox.safeParse(finalState)
  if (!state || (await mayRead(context, agentId))) return finalState
  const messages = state.inbox.messages.map(({ body: _, ...message }) => message)
  return { ...state, inbox: { ...state.inbox, messages } }
}

async function mayRead(context: Context, agentId: string): Promise<boolean> {
  if (!context.actor.scopes.includes('messages:receive')) return false
  const own = await ownAgentId(context)
  return own === undefined || own === agentId
}
