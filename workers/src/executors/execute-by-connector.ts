import { connectorBinding } from '@tutti/agents/domain'
import { bindAgent } from './bind-agent.ts'
import { type Executor, failed } from './executor.ts'
import { executeOverHttp } from './execute-over-http.ts'
import { executeOverMcp } from './mcp/execute-over-mcp.ts'

/**
 * Calls the connector that the agent's configuration names, in the way that the organization has bound it to at this moment:
 * as an HTTP agent, or as a tool of an MCP server. CONNECTOR_UNBOUND, not to be tried again, where it has none.
 */
export const executeByConnector: Executor = async (call) => {
  const { connector } = call.agent.executor
  if (connector === undefined)
    return failed('AGENT_UNBOUND', `Agent "${call.agent.name}" names no connector.`)
  const binding = await connectorBinding(call.services, call.actor, connector)
  if (!binding) return failed('CONNECTOR_UNBOUND', `Nothing says how the connector "${connector}" is called.`)
  const bound = { ...call, agent: bindAgent(call.agent, binding) }
  if (binding.type === 'http') return executeOverHttp(bound)
  return bound.agent.executor.tool === undefined
    ? failed('CONNECTOR_UNBOUND', `Neither the agent nor the connector "${connector}" names a tool.`)
    : executeOverMcp(bound)
}
