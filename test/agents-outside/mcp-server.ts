import { createMcpHandler } from '@modelcontextprotocol/server'
import { createToolServer, type OutsideTool } from './mcp-tools.ts'
import { type OutsideServer, serve } from './serve.ts'

/** A call of a tool as its server got it. */
export interface ToolCall {
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
  readonly meta: Readonly<Record<string, unknown>>
}

/** Somebody else's MCP server. */
export interface OutsideMcpServer extends OutsideServer {
  /** Of its endpoint. */
  readonly url: string
  readonly calls: readonly ToolCall[]
  /** Headers of all requests, in their order. */
  readonly requests: readonly Headers[]
  /** From now on it offers these. */
  offer(tools: readonly OutsideTool[]): void
}

/** Starts one with streamable HTTP; it answers older clients as well. */
export async function startMcpServer(tools: readonly OutsideTool[]): Promise<OutsideMcpServer> {
  let offered = tools
  const calls: ToolCall[] = []
  const requests: Headers[] = []
  const handler = createMcpHandler(() =>
    createToolServer(
      offered.map((tool) => ({
        ...tool,
        run(args, context) {
          calls.push({ tool: tool.name, args, meta: context.meta })
          return tool.run(args, context)
        },
      })),
    ),
  )
  const server = await serve((request) => {
    requests.push(request.headers)
    return handler.fetch(request)
  })
  return {
    ...server,
    url: `${server.origin}/mcp`,
    calls,
    requests,
    offer(others) {
      offered = others
    },
    async [Symbol.asyncDispose]() {
      await handler.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The document that registers an agent whose tool is at this URL. */
export const mcpAgentDocument = (name: string, url: string, tool: string, more = ''): string =>
  `metadata: { name: ${name}, type: service.tool, version: 1.0.0 }\nexecutor: { type: mcp, url: "${url}", tool: ${tool}${more} }\n`
