import type { Database } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import { agentMemoryOf, type Correspondent } from './agent-memory.ts'
import type { Sender } from './agent-message.ts'

/** Who a message comes from: an agent's key sends as that agent alone, everybody else as themselves. NOT_FOUND for the key of no agent. */
export async function senderOf(
  database: Database,
  actor: Actor,
): Promise<{ sender: Sender; agent: Correspondent | null }> {
  if (actor.kind !== 'agent') return { sender: { agentId: null, key: actor.id, actor }, agent: null }
  const agent = await ownAgent(database, actor)
  return { sender: { agentId: agent.id, key: `agent/${agent.id}`, actor }, agent }
}

/**
 * Whose inbox somebody reads: an agent's key that of its own agent and no other, and need not say it; everybody else says
 * which, by name or id. NOT_FOUND for an agent that is not there, or not the key's; BAD_INPUT when none is said.
 */
export async function inboxOf(
  database: Database,
  actor: Actor,
  reference: string | null | undefined,
): Promise<Correspondent> {
  const path = 'input.agent'
  if (actor.kind === 'agent') {
    const own = await ownAgent(database, actor, path)
    const isOwn = reference == null || reference === own.id || reference === own.name
    return isOwn ? own : fail('NOT_FOUND', { path, message: OWN_ONLY })
  }
  if (reference == null) fail('BAD_INPUT', { path, message: 'Say whose inbox, by name or id.' })
  return (await agentMemoryOf(database).find(actor, reference)) ?? fail('NOT_FOUND', { path })
}

const OWN_ONLY = "An agent's key is of that agent's inbox alone."

/** The agent of an agent's key. NOT_FOUND where it is of none, or of a retired one. */
export async function ownAgent(database: Database, actor: Actor, path = 'input'): Promise<Correspondent> {
  const agent = await agentMemoryOf(database).find(actor, actor.agentId ?? actor.name)
  const isOwn = actor.agentId === undefined ? agent?.name === actor.name : agent?.id === actor.agentId
  if (!agent || !isOwn || agent.status === 'retired')
    fail('NOT_FOUND', {
      path,
      message: 'This key is of no agent.',
      hint: 'The key must belong to a registered agent, or bear its name.',
    })
  return agent
}
