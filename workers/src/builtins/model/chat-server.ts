import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { protocolOf } from './chat-bodies.ts'

/** One answer of the server: a status and what the body is, or silence. */
export interface ChatReply {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** The assistant's words, put into an answer of the protocol. */
  readonly content?: string
  /** The tools that it asks for. */
  readonly calls?: readonly { readonly name: string; readonly input: unknown }[]
  readonly finish?: 'stop' | 'length' | 'content_filter'
  /** A body as it stands, instead of a completion. */
  readonly body?: string
  /** Never answers. */
  readonly silent?: boolean
}

/** A request as the server got it. */
export interface ChatRequest {
  readonly path: string
  readonly authorization: string | undefined
  /** As Anthropic and Google are sent it. */
  readonly key: string | undefined
  readonly body: string
}

/**
 * A small server that speaks OpenAI's chat completions, Anthropic's messages and Google's contents, whole and streamed, for
 * tests and trials without a model.
 */
export interface ChatServer extends AsyncDisposable {
  readonly origin: string
  /** Of OpenAI and Anthropic; Google's is `/v1beta` at the origin. */
  readonly baseURL: string
  readonly requests: readonly ChatRequest[]
}

/** Starts one on a free port of 127.0.0.1; `answer` decides what each request gets. */
export async function startChatServer(answer: (request: ChatRequest) => ChatReply): Promise<ChatServer> {
  const requests: ChatRequest[] = []
  const server = createServer(async (incoming, response) => {
    const request = {
      path: incoming.url ?? '',
      authorization: incoming.headers.authorization,
      key: headerOf(incoming.headers, 'x-api-key') ?? headerOf(incoming.headers, 'x-goog-api-key'),
      body: await text(incoming),
    }
    requests.push(request)
    const reply = answer(request)
    if (reply.silent) return
    const isStream = isStreamed(request) && reply.body === undefined && (reply.status ?? 200) === 200
    response.writeHead(reply.status ?? 200, {
      'content-type': isStream ? 'text/event-stream' : 'application/json',
      ...reply.headers,
    })
    const protocol = protocolOf(request.path)
    const said = { content: reply.content ?? '', calls: reply.calls ?? [], finish: reply.finish ?? 'stop' }
    if (!isStream) {
      response.end(reply.body ?? JSON.stringify(protocol.body(said)))
      return
    }
    for (const event of protocol.events(said)) response.write(`data: ${JSON.stringify(event)}\n\n`)
    response.end(request.path.endsWith('/chat/completions') ? 'data: [DONE]\n\n' : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    baseURL: `http://127.0.0.1:${port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const isStreamed = ({ path, body }: ChatRequest): boolean =>
  path.includes(':streamGenerateContent') || /"stream":\s*true/.test(body)

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
