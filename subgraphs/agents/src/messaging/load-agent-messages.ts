import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { type AgentMessageRow, messageColumns } from './agent-message.ts'
import { agentMemoryOf } from './agent-memory.ts'

/** Messages by id, in one read; one that is not of this organization is left out. */
export async function readMessages(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  ids: readonly string[],
): Promise<Map<string, AgentMessageRow>> {
  const rows = await database.readTenant<AgentMessageRow>(
    actor,
    `select ${messageColumns('m')} from agent_message m where m.organization_id = $1::uuid and m.id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** As {@link readMessages}; an agent's key sees what its agent sent and received, and nothing else. */
export async function loadAgentMessages(
  context: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AgentMessageRow>> {
  const found = await readMessages(context, ids)
  const own = await ownAgentId(context)
  if (own === undefined) return found
  return new Map([...found].filter(([, message]) => concerns(message, own)))
}

/** The agent of an agent's key; null when there is none; undefined for everybody else. */
export async function ownAgentId({ database, actor }: Context): Promise<string | null | undefined> {
  if (actor.kind !== 'agent') return undefined
  const agent = await agentMemoryOf(database).find(actor, actor.agentId ?? actor.name)
  return agent?.id ?? null
}

const concerns = ({ fromAgentId, toAgentId }: AgentMessageRow, agentId: string | null): boolean =>
  agentId !== null && (fromAgentId === agentId || toAgentId === agentId)
