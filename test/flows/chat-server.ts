import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A server that speaks OpenAI's chat completions, where `answer` is the model: JSON out for the request's text. */
export async function startChatServer(
  answer: (request: string) => object,
): Promise<{ readonly baseUrl: string; readonly requests: readonly string[] } & AsyncDisposable> {
  const requests: string[] = []
  const server = createServer(async (incoming, response) => {
    const request = await text(incoming)
    requests.push(request)
    response.writeHead(200, { 'content-type': 'application/json' })
    const message = { role: 'assistant', content: JSON.stringify(answer(request)) }
    response.end(
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 0,
        model: 'test',
        choices: [{ index: 0, finish_reason: 'stop', message }],
        usage: { prompt_tokens: 120, completion_tokens: 34, total_tokens: 154 },
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
