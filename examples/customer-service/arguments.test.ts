import { expect, test } from 'vitest'

import { readArguments } from './arguments.ts'

test('without options everything is the example’s own', () => {
  expect(readArguments([])).toMatchObject({ ownMessages: true, limit: undefined })
})

test('options are taken as given', () => {
  expect(readArguments(['--messages', 'a.csv', '--limit', '5', '--url=http://x.test'])).toMatchObject({
    messages: 'a.csv',
    ownMessages: false,
    limit: 5,
    url: 'http://x.test',
  })
})

test.each([
  [['--mesages', 'a.csv'], "Unknown option '--mesages'"],
  [['--messages'], "Option '--messages <value>' argument missing"],
  [['a.csv'], "Unexpected argument 'a.csv'"],
  [['--limit', 'ten'], '--limit: a whole number of at least 1 is needed, not "ten"'],
  [['--limit', '0'], 'not "0"'],
  [['--knowledge', ''], '--knowledge: it is empty'],
])('%j is refused with the reason', (args, reason) => {
  expect(() => readArguments(args)).toThrow(reason)
})
