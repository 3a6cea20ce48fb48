import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

/** A call as the agent got it. */
export interface AgentCall {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly json: {
    taskId: string
    runId: string
    step: string
    attempt: number
    input: Record<string, unknown>
    /** What it proves itself with when it reports by mutation. */
    reportToken: string
    /** What was last reported before this attempt. */
    progress?: object
  }
}

/** What it answers; 200 and `{"output": …}` unless said otherwise. */
export interface AgentReply {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly output?: unknown
  /** Milliseconds of work before the answer. */
  readonly takes?: number
  /** What it waits for before the answer. */
  readonly after?: Promise<void>
  /** What it says line by line before the answer; its failure breaks the connection. */
  readonly says?: AsyncIterable<object>
}

/** Somebody else's service that does tasks. */
export interface HttpAgent extends AsyncDisposable {
  readonly url: string
  readonly calls: readonly AgentCall[]
  /** Calls that were answered to the end. */
  answered(): number
  /** Calls under way at this moment. */
  busy(): number
}

/** Starts one on a free port of 127.0.0.1. */
export async function startHttpAgent(answer: (call: AgentCall) => AgentReply): Promise<HttpAgent> {
  const calls: AgentCall[] = []
  let answered = 0
  let busy = 0
  const server = createServer(async (request, response) => {
    busy++
    response.once('close', () => {
      busy--
      if (response.writableFinished) answered++
    })
    if (request.method !== 'POST') {
      // A look at its health: no call. An agent need not know the method.
      response.writeHead(405).end()
      return
    }
    const body = await text(request)
    const call: AgentCall = { headers: request.headers, body, json: JSON.parse(body) }
    calls.push(call)
    const { status = 200, headers, output = null, takes = 0, after, says } = answer(call)
    if (takes > 0) await pause(takes)
    await after
    if (says) {
      response.writeHead(status, { 'content-type': 'application/x-ndjson' })
      try {
        for await (const line of says) response.write(`${JSON.stringify(line)}\n`)
        response.end(`${JSON.stringify({ output })}\n`)
      } catch {
        response.destroy()
      }
      return
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ output }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/do`,
    calls,
    answered: () => answered,
    busy: () => busy,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The document that registers it. */
export const httpAgentDocument = (name: string, url: string): string =>
  `metadata: { name: ${name}, type: service.test, version: 1.0.0 }\nexecutor: { type: http, url: "${url}" }\n`
