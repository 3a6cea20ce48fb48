import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { judgeMessage } from './judge-message.ts'
import { serve, type ServerOfOurs } from '../../platform/serve.ts'

/** An MCP server, streamable HTTP, with the tool `judge_message`. */
export async function startMcpServer(): Promise<ServerOfOurs> {
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: 'triage', version: '1.0.0' })
    mcp.registerTool(
      'judge_message',
      {
        description: 'Says how the writer of a message feels.',
        inputSchema: z.object({ text: z.string() }),
      },
      async ({ text }) => {
        const structuredContent = { label: judgeMessage(text), by: 'a tool of an MCP server' }
        return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent }
      },
    )
    return mcp
  })
  const server = await serve((request) => handler.fetch(request))
  return {
    origin: server.origin,
    async [Symbol.asyncDispose]() {
      await handler.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
