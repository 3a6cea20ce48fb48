import { isId } from '@tutti/runtime'
import type { Context } from '../../context.ts'

/** How much of an agent's work by capability another takes, since when. */
export interface WorkShareRow {
  agentId: string
  toAgentId: string
  percent: number
  since: Date
}

/** The shares that hold of agents' work, by who gives, in one read. */
export async function loadWorkShares(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, WorkShareRow[]>> {
  const rows = await database.readTenant<WorkShareRow>(
    actor,
    `select agent_id as "agentId", to_agent_id as "toAgentId", percent, since from agent_share
     where organization_id = $1::uuid and agent_id = any($2::uuid[]) and until is null order by to_agent_id`,
    [actor.organizationId, agentIds.filter(isId)],
  )
  return Map.groupBy(rows, ({ agentId }) => agentId)
}
