import { expect, test } from 'vitest'
import { callProvider } from './call-provider.ts'
import { startChatServer } from './chat-server.ts'
import type { ModelProtocol } from './model-request.ts'

const PROTOCOLS: [ModelProtocol, string, RegExp][] = [
  ['openai-compatible', '/v1', /^\/v1\/chat\/completions$/],
  ['anthropic', '/v1', /^\/v1\/messages$/],
  ['google', '/v1beta', /^\/v1beta\/models\/small:(streamG|g)enerateContent/],
]
const TOOL = {
  name: 'look',
  description: 'Looks.',
  parameters: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
}

test.each(PROTOCOLS)('%s: text, whole and streamed, with the tokens it took', async (protocol, path, at) => {
  await using server = await startChatServer(() => ({ content: 'It is so.' }))
  const settings = { protocol, baseURL: server.origin + path, apiKey: 'secret-key', model: 'small' }
  const request = { instructions: 'Say it.', data: { it: 'is so' } }
  const reply = await callProvider(settings, request)
  const seen: string[] = []
  const streamed = await callProvider(settings, { ...request, onText: (text) => seen.push(text) })
  for (const each of [reply, streamed])
    expect(each).toMatchObject({
      text: 'It is so.',
      calls: [],
      isWhole: true,
      model: 'small',
      tokens: { input: 120, output: 34, cached: 0 },
    })
  expect(seen.at(-1)).toBe('It is so.')
  expect(server.requests).toHaveLength(2)
  for (const sent of server.requests) {
    expect(sent.path).toMatch(at)
    expect(sent.key ?? sent.authorization?.replace('Bearer ', '')).toBe('secret-key')
    expect(sent.body).toContain('is so')
  }
})

test.each(PROTOCOLS)('%s: a tool is asked for, and its answer goes back', async (protocol, path) => {
  await using server = await startChatServer(({ body }) =>
    body.includes('found it') ? { content: 'Done.' } : { calls: [{ name: 'look', input: { at: 'desk' } }] },
  )
  const settings = { protocol, baseURL: server.origin + path, apiKey: 'secret-key', model: 'small' }
  for (const streaming of [{}, { onText: () => undefined }]) {
    const request = { instructions: 'Look.', data: {}, tools: [TOOL], ...streaming }
    const asked = await callProvider(settings, request)
    const [call] = asked.calls
    expect(call).toMatchObject({ name: 'look', input: { at: 'desk' } })
    const answers = [{ id: call?.id ?? '', name: 'look', output: { it: 'found it' }, isError: false }]
    const done = await callProvider(settings, { ...request, rounds: [{ said: asked.said, answers }] })
    expect(done).toMatchObject({ text: 'Done.', calls: [] })
  }
})

test.each(PROTOCOLS)(
  '%s: a tool that was not offered is asked for, and that is no failure',
  async (protocol, path) => {
    await using server = await startChatServer(({ body }) =>
      body.includes('not there')
        ? { content: 'Sorry.' }
        : { calls: [{ name: 'run_shell', input: { rm: '/' } }] },
    )
    const settings = { protocol, baseURL: server.origin + path, apiKey: 'secret-key', model: 'small' }
    for (const offered of [{ tools: [TOOL] }, {}]) {
      const request = { instructions: 'Look.', data: {}, ...offered, onText: () => undefined }
      const asked = await callProvider(settings, request)
      const [call] = asked.calls
      expect(call).toMatchObject({ name: 'run_shell', input: { rm: '/' } })
      const answers = [{ id: call?.id ?? '', name: 'run_shell', output: 'not there', isError: true }]
      expect(
        await callProvider(settings, { ...request, rounds: [{ said: asked.said, answers }] }),
      ).toMatchObject({ text: 'Sorry.' })
    }
  },
)

test.each(PROTOCOLS)(
  '%s: 429, 401, and an end that is none are told apart, streamed too',
  async (protocol, path) => {
    const replies = [
      { status: 429, headers: { 'retry-after': '7' }, body: '{"error":{"message":"slow down"}}' },
      { status: 401, body: '{"error":{"message":"bad key"}}' },
      { content: 'It is', finish: 'length' as const },
      { content: '', finish: 'content_filter' as const },
    ]
    await using server = await startChatServer(() => replies.shift() ?? {})
    const settings = { protocol, baseURL: server.origin + path, apiKey: 'secret-key', model: 'small' }
    const request = { instructions: 'Say it.', data: {}, onText: () => undefined }
    await expect(callProvider(settings, request)).rejects.toMatchObject({
      code: 'MODEL_RATE_LIMITED',
      retryAfterMs: 7_000,
    })
    await expect(callProvider(settings, request)).rejects.toMatchObject({ code: 'MODEL_UNAUTHORIZED' })
    expect(await callProvider(settings, request)).toMatchObject({ text: 'It is', isWhole: false })
    await expect(callProvider(settings, request)).rejects.toMatchObject({ code: 'MODEL_CONTENT_FILTERED' })
  },
)

test.each(PROTOCOLS)(
  '%s: the form of an answer is told to the provider, which answers in it',
  async (protocol, path) => {
    const schema = { type: 'object', properties: { yes: { type: 'boolean' } }, required: ['yes'] }
    await using server = await startChatServer(({ body }) =>
      // Anthropic's older models answer in a form by calling a tool.
      body.includes('"name":"json"')
        ? { calls: [{ name: 'json', input: { yes: true } }] }
        : { content: '{"yes":true}' },
    )
    const settings = { protocol, baseURL: server.origin + path, apiKey: 'secret-key', model: 'small' }
    for (const streaming of [{}, { onText: () => undefined }]) {
      const reply = await callProvider(settings, { instructions: 'Say it.', data: {}, schema, ...streaming })
      expect(reply).toMatchObject({ text: '{"yes":true}', calls: [], isWhole: true })
    }
    for (const { body } of server.requests) expect(body).toContain('"yes"')
  },
)
