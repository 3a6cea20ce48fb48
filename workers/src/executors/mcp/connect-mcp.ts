import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { EgressFetch } from '../egress-fetch.ts'

const CONNECT_MS = 30_000
/** A server on a pipe that does not answer the newest protocol's question is an older one. */
const PROBE_MS = 5_000

const INFO = { name: 'tutti', version: '1' }

/** Connects to a server over streamable HTTP, by the newest protocol that it speaks. */
export async function connectOverHttp(url: string, fetch: EgressFetch, signal: AbortSignal): Promise<Client> {
  const client = createClient('auto')
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    // Nothing is awaited from a server but answers: no stream is held open between calls.
    fetch: async (input, init) =>
      init?.method === 'GET' && !new Headers(init.headers).has('last-event-id')
        ? new Response(null, { status: 405 })
        : fetch(input, init),
  })
  await client.connect(transport, { timeout: CONNECT_MS, signal })
  return client
}

/**
 * Starts a server as a process of its own, with a minimal environment, and speaks to it over its pipes. A process that gives
 * no answer is ended before this rejects.
 */
export async function connectToCommand(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Client> {
  const client = createClient('auto', { timeoutMs: PROBE_MS })
  const transport = new StdioClientTransport({ command, args: [...args], stderr: 'ignore' })
  try {
    await client.connect(transport, { timeout: CONNECT_MS, signal })
    return client
  } catch (error) {
    await transport.close()
    throw error
  }
}

function createClient(mode: 'auto', probe?: { timeoutMs: number }): Client {
  return new Client(INFO, {
    versionNegotiation: probe ? { mode, probe } : { mode },
    // Nobody is there to be asked: a tool that wants more input fails.
    inputRequired: { autoFulfill: false },
  })
}
