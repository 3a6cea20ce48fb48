import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { TOOL_PIN_COLUMNS, type ToolPin } from './tool-pin.ts'

/** What is pinned of agents' tools, by agent, in the order of names, in one read. */
export async function loadToolPinsOfAgents(
  { database, actor }: Context,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, ToolPin[]>> {
  const rows = await database.readTenant<ToolPin>(
    actor,
    `select ${TOOL_PIN_COLUMNS} from agent_tool_pin
     where organization_id = $1::uuid and agent_id = any($2::uuid[]) order by tool`,
    [actor.organizationId, agentIds.filter(isId)],
  )
  return Map.groupBy(rows, ({ agentId }) => agentId)
}
