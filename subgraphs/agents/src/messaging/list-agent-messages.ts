import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Context } from '../context.ts'
import { agentMemoryOf } from './agent-memory.ts'
import { type AgentMessageRow, messageColumns } from './agent-message.ts'
import { ownAgentId } from './load-agent-messages.ts'

/** Which messages to list. */
export interface MessageFilter {
  /** To or from it, by name or id. */
  agent?: string | null | undefined
  /** As stored: sent, delivered, acknowledged, expired or dead. */
  status?: string | null | undefined
  broadcastId?: string | null | undefined
}

/**
 * One page of the delivery log, oldest first: an agent's key sees its own agent's. NOT_FOUND for an agent that is not there,
 * or not the key's.
 */
export async function listAgentMessages(
  context: Context,
  { agent, status, broadcastId, ...page }: PageArguments & MessageFilter,
): Promise<Connection<AgentMessageRow>> {
  const { database, actor } = context
  const { take, afterId } = readPage(page)
  const own = await ownAgentId(context)
  if (own === null || (broadcastId != null && !isId(broadcastId))) return connectionOf([], take)
  const named = agent == null ? undefined : await agentMemoryOf(database).find(actor, agent)
  if (agent != null && (!named || (own !== undefined && named.id !== own)))
    fail('NOT_FOUND', { path: 'agent' })
  const rows = await database.readTenant<AgentMessageRow>(
    actor,
    `select ${messageColumns('m')} from agent_message m
     where m.organization_id = $1::uuid and ($2::uuid is null or m.id > $2::uuid)
       and ($3::uuid is null or m.to_agent_id = $3::uuid or m.from_agent_id = $3::uuid)
       and ($4::text is null or m.status = $4) and ($5::uuid is null or m.broadcast_id = $5::uuid)
     order by m.id limit $6`,
    [actor.organizationId, afterId, named?.id ?? own ?? null, status ?? null, broadcastId ?? null, take],
  )
  return connectionOf(rows, take)
}
