import { once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** A server of this example, on a free port of 127.0.0.1. */
export interface ServerOfOurs extends AsyncDisposable {
  /** Without a path. */
  readonly origin: string
}

/** Serves a handler of the web's kind; what it throws is 500. */
export async function serve(
  handle: (request: Request, origin: string) => Promise<Response>,
): Promise<ServerOfOurs> {
  let origin = ''
  const server = createServer(async (incoming, outgoing) => {
    try {
      const method = incoming.method ?? 'GET'
      const body = await buffer(incoming)
      const request = new Request(new URL(incoming.url ?? '/', origin), {
        method,
        headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
        ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
      })
      const response = await handle(request, origin)
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      if (response.body) await pipeline(Readable.fromWeb(response.body), outgoing)
      else outgoing.end()
    } catch (error) {
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500).end(error instanceof Error ? error.message : 'It failed.')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  origin = `http://127.0.0.1:${address.port}`
  return {
    origin,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
