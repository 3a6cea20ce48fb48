import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** An agent and a model in one that tell everybody what they were sent. */
export interface EchoingServer extends AsyncDisposable {
  /** Of the agent. */
  readonly url: string
  /** Of the model, as OPENAI_BASE_URL. */
  readonly modelUrl: string
  /** What the agent was sent, by the run's `case`, and below which path of its URL. */
  readonly sent: readonly { case: string; path: string; headers: IncomingHttpHeaders }[]
  /** What the model was sent as `authorization`. */
  readonly asked: readonly (string | undefined)[]
}

/** How an agent tells it, by the run's `case`. */
const ANSWERS: Record<string, (response: ServerResponse, echo: Echo) => void> = {
  succeeds(response, echo) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const lines = [
      { progress: { percent: 10, message: echo.said, data: echo } },
      { log: { level: 'warn', message: echo.said, data: echo } },
      { output: { ...echo, [echo.said]: [echo.said] } },
    ]
    response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  },
  fails(response, echo) {
    const error = { code: `SAID ${echo.said}`, message: `I was sent ${echo.said}`, retryable: true }
    response.end(JSON.stringify({ error }))
  },
  refuses(response, echo) {
    response.writeHead(401, echo.said.replaceAll(/[^ -~]/g, ''), { 'x-said': echo.said })
    response.end(JSON.stringify(echo))
  },
  babbles: (response, echo) => void response.end(`not JSON: ${echo.said}`),
  misbehaves: (response, echo) => void response.end(JSON.stringify({ [echo.said]: echo })),
  // A report that is refused, a line for the log, and then nothing any more.
  'times out'(response, echo) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(`${JSON.stringify({ progress: { percent: 101, message: echo.said, data: echo } })}\n`)
    response.write(`${JSON.stringify({ log: { level: 'error', message: echo.said, data: echo } })}\n`)
  },
  breaks(response, echo) {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(`${JSON.stringify({ log: { level: 'error', message: echo.said } })}\n`, () =>
      response.destroy(),
    )
  },
}

interface Echo {
  said: string
  headers: IncomingHttpHeaders
  base64: string
  hex: string
  encoded: string
}

/** Starts it on a free port of 127.0.0.1. */
export async function startEchoingServer(): Promise<EchoingServer> {
  const sent: { case: string; path: string; headers: IncomingHttpHeaders }[] = []
  const asked: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const { headers } = request
    const said = headers.authorization ?? ''
    if (request.url?.startsWith('/v1')) {
      asked.push(said)
      // The second time it fails with it.
      response.writeHead(asked.length % 2 === 1 ? 200 : 400, { 'content-type': 'application/json' })
      const content = JSON.stringify({ text: `A post about ${said}` })
      const choice = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }
      const completion = { id: 'c', object: 'chat.completion', created: 0, model: said, choices: [choice] }
      response.end(JSON.stringify(asked.length % 2 === 1 ? completion : { error: { message: said } }))
      return
    }
    const { input }: { input: { case: string } } = JSON.parse(body)
    sent.push({ case: input.case, path: (request.url ?? '').slice('/do'.length), headers })
    const bytes = Buffer.from(said)
    ANSWERS[input.case]?.(response, {
      said,
      headers,
      base64: bytes.toString('base64'),
      hex: bytes.toString('hex'),
      encoded: encodeURIComponent(said),
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/do`,
    modelUrl: `http://127.0.0.1:${port}/v1`,
    sent,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The ways in which its agent tells. */
export const WAYS: readonly string[] = Object.keys(ANSWERS)
