/** An answer, as each protocol puts it. */
export interface SaidByModel {
  readonly content: string
  readonly calls: readonly { readonly name: string; readonly input: unknown }[]
  readonly finish: 'stop' | 'length' | 'content_filter'
}

/** How one protocol answers: a body, or the events of a stream by their JSON. */
export interface Protocol {
  body(said: SaidByModel): unknown
  events(said: SaidByModel): readonly unknown[]
}

const IN = 120
const OUT = 34

/** Two pieces, so that a stream is one. */
const pieces = (text: string): string[] =>
  [text.slice(0, text.length >> 1), text.slice(text.length >> 1)].filter((piece) => piece !== '')

const openai: Protocol = {
  body: ({ content, calls, finish }) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: 'test',
    choices: [
      {
        index: 0,
        finish_reason: calls.length > 0 ? 'tool_calls' : finish,
        message: {
          role: 'assistant',
          content,
          ...(calls.length > 0 ? { tool_calls: calls.map((call, index) => openaiCall(call, index)) } : {}),
        },
      },
    ],
    usage: { prompt_tokens: IN, completion_tokens: OUT, total_tokens: IN + OUT },
  }),
  events: ({ content, calls, finish }) => {
    const chunk = (delta: object, reason: string | null = null) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'test',
      choices: [{ index: 0, delta, finish_reason: reason }],
    })
    return [
      ...pieces(content).map((piece) => chunk({ role: 'assistant', content: piece })),
      ...calls.map((call, index) => chunk({ tool_calls: [{ index, ...openaiCall(call, index) }] })),
      chunk({}, calls.length > 0 ? 'tool_calls' : finish),
      {
        ...chunk({}),
        choices: [],
        usage: { prompt_tokens: IN, completion_tokens: OUT, total_tokens: IN + OUT },
      },
    ]
  },
}

function openaiCall({ name, input }: SaidByModel['calls'][number], index: number): object {
  return { id: `call_${index}`, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}

const anthropicReason = ({ calls, finish }: SaidByModel): string => {
  if (calls.length > 0) return 'tool_use'
  return { stop: 'end_turn', length: 'max_tokens', content_filter: 'refusal' }[finish]
}

const anthropic: Protocol = {
  body: (said) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'test',
    content: [
      ...(said.content === '' ? [] : [{ type: 'text', text: said.content }]),
      ...said.calls.map(({ name, input }, index) => ({
        type: 'tool_use',
        id: `toolu_${index}`,
        name,
        input,
      })),
    ],
    stop_reason: anthropicReason(said),
    stop_sequence: null,
    usage: { input_tokens: IN, output_tokens: OUT },
  }),
  events: (said) => {
    const blocks = [
      ...(said.content === ''
        ? []
        : [
            {
              block: { type: 'text', text: '' },
              deltas: pieces(said.content).map((text) => ({ type: 'text_delta', text })),
            },
          ]),
      ...said.calls.map(({ name, input }, index) => ({
        block: { type: 'tool_use', id: `toolu_${index}`, name, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(input) }],
      })),
    ]
    return [
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'test',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: IN, output_tokens: 0 },
        },
      },
      ...blocks.flatMap(({ block, deltas }, index) => [
        { type: 'content_block_start', index, content_block: block },
        ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
        { type: 'content_block_stop', index },
      ]),
      {
        type: 'message_delta',
        delta: { stop_reason: anthropicReason(said), stop_sequence: null },
        usage: { output_tokens: OUT },
      },
      { type: 'message_stop' },
    ]
  },
}

const google: Protocol = {
  body: ({ content, calls, finish }) => ({
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            ...(content === '' ? [] : [{ text: content }]),
            ...calls.map(({ name, input }) => ({ functionCall: { name, args: input } })),
          ],
        },
        finishReason: { stop: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY' }[finish],
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: IN, candidatesTokenCount: OUT, totalTokenCount: IN + OUT },
    modelVersion: 'test',
  }),
  events: (said) => [google.body(said)],
}

/** The protocol that a path belongs to. */
export function protocolOf(path: string): Protocol {
  if (path.endsWith('/messages')) return anthropic
  return /:(generate|streamGenerate)Content/.test(path) ? google : openai
}
