import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { AGENT_COLUMNS, type AgentRow } from './agent-row.ts'

/** Agents by id, in one read; an id that is not of this organization is left out. */
export async function loadAgents(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AgentRow>> {
  const rows = await database.readTenant<AgentRow>(
    actor,
    `select ${AGENT_COLUMNS} from agent where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Agents by the team they belong to, by name, in one read. */
export async function loadAgentsOfTeams(
  { database, actor }: Context,
  teamIds: readonly string[],
): Promise<ReadonlyMap<string, AgentRow[]>> {
  const rows = await database.readTenant<AgentRow>(
    actor,
    `select ${AGENT_COLUMNS} from agent where organization_id = $1::uuid and team_id = any($2::uuid[]) order by name`,
    [actor.organizationId, teamIds.filter(isId)],
  )
  return Map.groupBy(rows, ({ teamId }) => teamId ?? '')
}
