import { createHash } from 'node:crypto'
import type { AgentExecutor, ConnectorOutbound } from '@tutti/agents/domain'

/** An agent as if its configuration said what its connector's binding says; connections are kept by both. */
export function bindAgent(agent: AgentExecutor, { type, ...binding }: ConnectorOutbound): AgentExecutor {
  const { tool = 'tool' in binding ? binding.tool : undefined, ...own } = agent.executor
  const executor = { ...own, ...binding, type, ...(tool === undefined ? {} : { tool }) }
  const sum = createHash('sha256').update(JSON.stringify(binding)).digest('base64url')
  return { ...agent, executor, configurationHash: `${agent.configurationHash}/${sum}` }
}
