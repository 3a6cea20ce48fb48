import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { type AgentVersionRow, VERSION_COLUMNS } from './agent-version.ts'

/** One page of an agent's versions, oldest first. */
export async function listAgentVersions(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  agentId: string,
  page: PageArguments,
): Promise<Connection<AgentVersionRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<AgentVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from agent_version
     where organization_id = $1::uuid and agent_id = $2::uuid and ($3::uuid is null or id > $3::uuid) order by id limit $4`,
    [actor.organizationId, agentId, afterId, take],
  )
  return connectionOf(rows, take)
}

/** Versions by `<agent>/<number>`, in one read. */
export async function loadAgentVersions(
  { database, actor }: Context,
  keys: readonly string[],
): Promise<ReadonlyMap<string, AgentVersionRow>> {
  const rows = await database.readTenant<AgentVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from agent_version v
     join unnest($2::text[]) as k(key) on v.agent_id = split_part(k.key, '/', 1)::uuid and v.number = split_part(k.key, '/', 2)::int
     where v.organization_id = $1::uuid`,
    [actor.organizationId, keys],
  )
  return new Map(rows.map((row) => [`${row.agentId}/${row.number}`, row]))
}
