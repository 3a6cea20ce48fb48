import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A server of somebody else's, on a free port of 127.0.0.1. */
export interface OutsideServer extends AsyncDisposable {
  /** Without a path. */
  readonly origin: string
  /** Breaks all its connections. */
  cut(): void
}

/** Serves a handler of the web's kind. */
export async function serve(
  handle: (request: Request, origin: string) => Promise<Response>,
): Promise<OutsideServer> {
  let origin = ''
  const server = createServer((request, response) => {
    // The caller left in the middle: nobody is there to be told.
    answer(request, response).catch(() => response.destroy())
  })
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const left = new AbortController()
    outgoing.once('close', () => left.abort())
    const body = ['GET', 'HEAD'].includes(incoming.method ?? '') ? null : Readable.toWeb(incoming)
    const request = new Request(new URL(incoming.url ?? '/', origin), {
      method: incoming.method ?? 'GET',
      headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      signal: left.signal,
      ...(body ? { body, duplex: 'half' } : {}),
    })
    const response = await handle(request, origin)
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    if (response.body) await pipeline(Readable.fromWeb(response.body), outgoing)
    else outgoing.end()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  origin = `http://127.0.0.1:${port}`
  return {
    origin,
    cut: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
