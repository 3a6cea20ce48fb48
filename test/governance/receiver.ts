import { createServer, type IncomingHttpHeaders } from 'node:http'

/** A call as it arrived. */
export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** What a call is answered with: a status, or nothing before its connection is cut. */
export type Answer = number | 'cut'

/** A web server of this process, as people's chats and hooks have one. */
export interface Receiver extends AsyncDisposable {
  url: string
  /** What came to a path, oldest first. */
  to(path: string): Received[]
  /** What the next calls of a path are answered with; 200 when none is left. */
  willAnswer(path: string, answers: Answer[]): void
}

/** Starts it on a free port; dispose it. */
export async function openReceiver(): Promise<Receiver> {
  const calls: Received[] = []
  const planned = new Map<string, Answer[]>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const path = request.url ?? ''
      calls.push({ path, headers: request.headers, body: Buffer.concat(parts).toString() })
      const answer = planned.get(path)?.shift() ?? 200
      if (answer === 'cut') request.socket.destroy()
      else response.writeHead(answer).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    to: (path) => calls.filter((call) => call.path === path),
    willAnswer: (path, answers) => planned.set(path, answers),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
