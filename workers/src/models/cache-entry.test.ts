import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ModelRequest } from '../builtins/model/index.ts'
import { reachOf, requestKey } from './cache-entry.ts'
import { isSensitive } from './is-sensitive.ts'

const SERVER = { protocol: 'openai-compatible' as const, baseURL: 'https://models.example/v1' }
const keyOf = (request: ModelRequest, organization = 'o', model = 'm', server = SERVER): string =>
  requestKey(organization, model, server, request)
const jsonObject = fc.dictionary(fc.string(), fc.jsonValue())

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, reversed(inner)])
      .reverse(),
  )
}

test('the same request has the same key, whatever the order of its keys and how it is delivered', () => {
  fc.assert(
    fc.property(fc.string(), jsonObject, jsonObject, (instructions, data, schema) => {
      const again = {
        schema: Object(reversed(schema)),
        data: Object(reversed(data)),
        instructions,
        signal: AbortSignal.abort(),
        onText: () => undefined,
      }
      expect(keyOf({ instructions, data, schema })).toBe(keyOf(again))
    }),
  )
})

test('requests that differ in anything have keys that differ', () => {
  const request = fc.record(
    {
      instructions: fc.string(),
      data: jsonObject,
      schema: jsonObject,
      maxOutputTokens: fc.nat(),
      temperature: fc.constantFrom(0, 1),
    },
    { requiredKeys: ['instructions', 'data'] },
  )
  const place = fc.record({ organization: fc.string(), model: fc.string(), at: fc.string() })
  fc.assert(
    fc.property(request, request, place, place, (left, right, here, there) => {
      const keyAt = (asked: ModelRequest, { organization, model, at }: typeof here) =>
        keyOf(asked, organization, model, { ...SERVER, baseURL: at })
      // As JSON: -0 is 0 there.
      const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
      const isSame = fc.stringify(sorted(plain([left, here]))) === fc.stringify(sorted(plain([right, there])))
      expect(keyAt(left, here) === keyAt(right, there)).toBe(isSame)
    }),
  )
  expect(keyOf({ instructions: 'a', data: {} })).not.toBe(keyOf({ instructions: 'a ', data: {} }))
  expect(keyOf({ instructions: 'a', data: {} })).not.toBe(keyOf({ instructions: 'a', data: {} }, 'other'))
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, sorted(inner)])
    .sort(([left], [right]) => (left < right ? -1 : 1))
}

test.each([
  ['Write to ada@example.com', true],
  ['My card is 4111 1111 1111 1111', true],
  ['{"password": "hunter2"}', true],
  ['sk-abcdefghijklmnop', true],
  [`${'x '.repeat(20_000)}ada@example.com`, true],
  ['Where is my order 12345?', false],
  ['{"question":"What does the kettle weigh?"}', false],
])('%s', (text, expected) => {
  expect(isSensitive(text)).toBe(expected)
})

test('what is cut short, asks for tools or holds a secret is not kept; personal data stay in memory', () => {
  const entry = { key: 'k', modelId: 'm', reach: 'database' as const, mayAnswer: true }
  const reply = {
    text: 'fine',
    calls: [],
    said: [],
    isWhole: true,
    model: 'm',
    tokens: { input: 0, output: 0, cached: 0 },
    ms: 1,
  }
  const cut = (text: string) => text.replaceAll('hunter2', '[redacted]')
  expect(reachOf(entry, reply, cut)).toBe('database')
  expect(reachOf(entry, { ...reply, isWhole: false }, cut)).toBe('off')
  expect(reachOf(entry, { ...reply, calls: [{ id: '1', name: 'x', input: {} }] }, cut)).toBe('off')
  expect(reachOf(entry, { ...reply, text: 'it is hunter2' }, cut)).toBe('off')
  expect(reachOf(entry, { ...reply, text: 'ask ada@example.com' }, cut)).toBe('memory')
})
