import { z } from 'zod'
import { judgeMessage } from './judge-message.ts'
import { serve, type ServerOfOurs } from '../../platform/serve.ts'

const chat = z.object({
  model: z.string(),
  stream: z.boolean().default(false),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
})

/** A server that speaks OpenAI's chat completions, whole or streamed; `key` is the one that it takes, any other is 401. */
export function startChatServer(key: string): Promise<ServerOfOurs> {
  return serve(async (request) => {
    if (request.headers.get('authorization') !== `Bearer ${key}`)
      return Response.json({ error: { message: 'That is not the key.' } }, { status: 401 })
    const { model, stream, messages } = chat.parse(await request.json())
    // The data are in the last message; what came before are the instructions.
    const content = JSON.stringify({
      label: judgeMessage(JSON.stringify(messages.at(-1)?.content)),
      by: 'a model',
    })
    const usage = usageOf(JSON.stringify(messages), content)
    const head = { id: crypto.randomUUID(), created: Math.floor(Date.now() / 1000), model }
    if (!stream)
      return Response.json({
        ...head,
        object: 'chat.completion',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
        usage,
      })
    const chunk = (choices: readonly object[], more: object = {}) =>
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
    return new Response(
      [
        chunk([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }]),
        chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
        chunk([], { usage }),
        'data: [DONE]\n\n',
      ].join(''),
      { headers: { 'content-type': 'text/event-stream' } },
    )
  })
}

/** A token is about four letters. */
function usageOf(asked: string, answered: string): object {
  const [input, output] = [Math.ceil(asked.length / 4), Math.ceil(answered.length / 4)]
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
