import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { AGENT_COLUMNS, type AgentRow } from './agent-row.ts'

/** Which agents to list. */
export interface AgentFilter {
  type?: string | null | undefined
  capability?: string | null | undefined
}

/** One page of the organization's agents, oldest first, retired ones too. */
export async function listAgents(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { type, capability, ...page }: PageArguments & AgentFilter,
): Promise<Connection<AgentRow>> {
  const { take, afterId } = readPage(page)
  // No agent has a type or capability with the NUL character, which PostgreSQL would refuse.
  if (type?.includes('\0') || capability?.includes('\0')) return connectionOf([], take)
  const rows = await database.readTenant<AgentRow>(
    actor,
    `select ${AGENT_COLUMNS} from agent
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) and ($3::text is null or type = $3)
       and ($4::text is null or $4 = any(capabilities))
     order by id limit $5`,
    [actor.organizationId, afterId, type ?? null, capability ?? null, take],
  )
  return connectionOf(rows, take)
}
