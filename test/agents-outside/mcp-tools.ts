import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** What a tool is given beside its arguments. */
export interface ToolContext {
  /** What the caller says of the call. */
  readonly meta: Readonly<Record<string, unknown>>
  /** Aborts when the caller wants no answer any more. */
  readonly signal: AbortSignal
  /** Tells the caller how far it is. */
  progress(done: number, total: number, message: string): Promise<void>
}

/** A tool as its server offers it. */
export interface OutsideTool {
  readonly name: string
  readonly description: string
  /** Arguments besides `text`, by name. */
  readonly also?: readonly string[]
  /** A text, or an object, which comes as structured content; what it throws is the tool's error. */
  run(args: Readonly<Record<string, unknown>>, context: ToolContext): Promise<string | object>
}

/** A server of these tools, by the official SDK. */
export function createToolServer(tools: readonly OutsideTool[]): McpServer {
  const server = new McpServer({ name: 'tools', version: '1.0.0' })
  for (const { name, description, also = [], run } of tools) {
    const inputSchema = z.looseObject({
      text: z.string(),
      ...Object.fromEntries(also.map((each) => [each, z.unknown().optional()])),
    })
    server.registerTool(name, { description, inputSchema }, async (args, { mcpReq }) => {
      const meta = mcpReq._meta ?? {}
      const result = await run(args, {
        meta,
        signal: mcpReq.signal,
        async progress(progress, total, message) {
          const { progressToken } = meta
          if (progressToken === undefined) return
          const params = { progressToken, progress, total, message }
          await mcpReq.notify({ method: 'notifications/progress', params })
        },
      })
      return typeof result === 'string'
        ? { content: [{ type: 'text', text: result }] }
        : {
            content: [{ type: 'text', text: JSON.stringify(result) }],
            structuredContent: Object.fromEntries(Object.entries(result)),
          }
    })
  }
  return server
}
