import { expect, test } from 'vitest'
import { readToolResult } from './read-tool-result.ts'

const text = (said: string) => ({ type: 'text' as const, text: said })
const image = { type: 'image' as const, data: 'AAAA', mimeType: 'image/png' }

test.each([
  ['one text', { content: [text('a')] }, 'a'],
  ['several texts', { content: [text('a'), text('b')] }, 'a\nb'],
  ['nothing', { content: [] }, ''],
  [
    'structured content before its text',
    { content: [text('{"a":1}')], structuredContent: { a: 1 } },
    { a: 1 },
  ],
  ['anything else as it is', { content: [text('a'), image] }, [text('a'), image]],
])('%s', (_, result, output) => {
  expect(readToolResult(result)).toEqual({ type: 'succeeded', output, costUsd: 0 })
})

test.each([
  ['with words', [text('No such customer.')], 'No such customer.'],
  ['without', [], 'The tool failed without a word.'],
  ['with too many', [text('x'.repeat(9_000))], 'x'.repeat(2_000)],
])('a tool’s error %s is one that no other attempt mends', (_, content, message) => {
  const error = { code: 'TOOL_FAILED', message, retryable: false }
  expect(readToolResult({ content, isError: true })).toEqual({ type: 'failed', error })
})

test('2 MiB are taken, more is not', () => {
  const most = 2 * 1024 * 1024 - '""'.length
  expect(readToolResult({ content: [text('x'.repeat(most))] })).toMatchObject({ type: 'succeeded' })
  expect(readToolResult({ content: [text('x'.repeat(most + 1))] })).toMatchObject({
    error: { code: 'AGENT_ANSWER_TOO_LARGE', retryable: false },
  })
})
