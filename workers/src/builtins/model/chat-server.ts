import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** One answer of the server: a status and what the body is, or silence. */
export interface ChatReply {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** The assistant's words, put into a chat completion. */
  readonly content?: string
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
  readonly body: string
}

/** A small server that speaks OpenAI's chat completions, for tests and trials without a model. */
export interface ChatServer extends AsyncDisposable {
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
      body: await text(incoming),
    }
    requests.push(request)
    const reply = answer(request)
    if (reply.silent) return
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
    response.end(
      reply.body ??
        JSON.stringify({
          id: 'chatcmpl-1',
          object: 'chat.completion',
          created: 0,
          model: 'test',
          choices: [
            {
              index: 0,
              finish_reason: reply.finish ?? 'stop',
              message: { role: 'assistant', content: reply.content ?? '' },
            },
          ],
          usage: { prompt_tokens: 120, completion_tokens: 34, total_tokens: 154 },
        }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
