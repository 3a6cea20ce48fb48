/** An agent as this subgraph reads it, without what only workers may see. */
export interface AgentRow {
  id: string
  name: string
  type: string
  version: string
  status: string
  capabilities: string[]
  executorType: string
  configuration: unknown
  configurationHash: string
  servingVersion: number
  teamId: string | null
  createdAt: Date
  updatedAt: Date
}

/**
 * The columns of {@link AgentRow}. The executor's type is taken from the configuration: the column `executor` holds
 * files and would be unpacked for one word.
 */
export const AGENT_COLUMNS = `id, name, type, version, status, capabilities, configuration,
  configuration->'executor'->>'type' as "executorType", configuration_hash as "configurationHash",
  serving_version as "servingVersion", team_id as "teamId", created_at as "createdAt", updated_at as "updatedAt"`
