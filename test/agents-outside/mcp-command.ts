import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createToolServer } from './mcp-tools.ts'

// A server that is started as a command: `node test/agents-outside/mcp-command.ts`.
serveStdio(() =>
  createToolServer([
    {
      name: 'shout',
      description: 'Shouts a text.',
      run: async ({ text }) => ({
        text: String(text).toUpperCase(),
        process: process.pid,
        sees: process.env,
      }),
    },
  ]),
)
