import { createHash } from 'node:crypto'
import { connectorBinding, type ConnectorOutbound } from '@tutti/agents/domain'
import { type Executor, failed, type TaskCall } from './executor.ts'
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
  const bound = boundTo(call, binding)
  if (binding.type === 'http') return executeOverHttp(bound)
  return bound.agent.executor.tool === undefined
    ? failed('CONNECTOR_UNBOUND', `Neither the agent nor the connector "${connector}" names a tool.`)
    : executeOverMcp(bound)
}

/** The call as if the agent's configuration said what the binding says; connections are kept by both. */
function boundTo(call: TaskCall, { type, ...binding }: ConnectorOutbound): TaskCall {
  const { agent } = call
  const { tool = 'tool' in binding ? binding.tool : undefined, ...own } = agent.executor
  const executor = { ...own, ...binding, type, ...(tool === undefined ? {} : { tool }) }
  const sum = createHash('sha256').update(JSON.stringify(binding)).digest('base64url')
  return {
    ...call,
    agent: { ...agent, executor, configurationHash: `${agent.configurationHash}/${sum}` },
  }
}
