import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { parseCsv } from './parse-csv.ts'
import { readExamples } from './read-examples.ts'
import { readKnowledge } from './read-knowledge.ts'
import { readMessages } from './read-messages.ts'

const directory = mkdtempSync(join(tmpdir(), 'tutti-input-'))

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

test('CSV with quotes, doubled quotes and a line break inside quotes keeps the line where each record begins', () => {
  expect(parseCsv('text,id\r\n"a, ""b""\nc",1\n\nd,2\n', 'x.csv')).toEqual([
    { line: 1, fields: ['text', 'id'] },
    { line: 2, fields: ['a, "b"\nc', '1'] },
    { line: 5, fields: ['d', '2'] },
  ])
})

test('a spreadsheet that writes semicolons and a byte order mark is read all the same', () => {
  const path = file('halves.csv', '\uFEFFid;text\n7;Wo ist mein Paket, bitte?\n')
  expect(readMessages(path)).toEqual([
    { id: '7', channel: 'file', customer: 'unknown', text: 'Wo ist mein Paket, bitte?' },
  ])
})

test('a quote that never closes is reported with the line where it opened', () => {
  const path = file('open.csv', 'text\nfine\n"not fine\nmore\n')
  expect(() => readMessages(path)).toThrow('open.csv, line 3: a quote opens here and never closes')
})

test('a row with too many fields is reported with its line', () => {
  const path = file('wide.csv', 'text,category\nok,a\nno, it is not,b\n')
  expect(() => readExamples(path)).toThrow('wide.csv, line 3: 3 fields where the first line has 2')
})

test('a missing column names the columns there are', () => {
  const path = file('columns.csv', 'message,label\nhello,a\n')
  expect(() => readExamples(path)).toThrow(
    'no column "text", "category"; its first line has "message", "label"',
  )
})

test('a missing file is named with its full path', () => {
  expect(() => readMessages(join(directory, 'nowhere.jsonl'))).toThrow(
    `${directory}/nowhere.jsonl: there is no such file`,
  )
})

test('a broken line of JSONL is reported with its number', () => {
  const path = file('broken.jsonl', '{"text":"fine"}\n\n{"text": oops}\n')
  expect(() => readMessages(path)).toThrow('broken.jsonl, line 3: not JSON')
})

test('a line of JSONL without a text is reported, an empty text is a message', () => {
  expect(readMessages(file('empty.jsonl', '{"id":"m","text":""}\n'))).toMatchObject([{ id: 'm', text: '' }])
  expect(() => readMessages(file('none.jsonl', '{"id":"m"}\n'))).toThrow('line 1: "text" is missing')
})

test('the same id twice is refused with both lines', () => {
  const path = file('twice.jsonl', '{"id":"m","text":"a"}\n{"id":"m","text":"b"}\n')
  expect(() => readMessages(path)).toThrow('line 2: the id "m" is already used in line 1')
})

test('a file that is not UTF-8 or no table is refused in words', () => {
  expect(() => readMessages(file('latin1.csv', Uint8Array.of(0x74, 0x0a, 0xfc)))).toThrow(
    'it is not UTF-8 text',
  )
  expect(() => readMessages(file('data.xlsx', ''))).toThrow('a .csv or .jsonl file is needed, not ".xlsx"')
})

test('a Markdown file without front matter is an article by its name and first heading', () => {
  const knowledge = join(directory, 'knowledge')
  mkdirSync(knowledge)
  writeFileSync(join(knowledge, 'opening.md'), '# Opening hours\n\nFrom nine to five.\n')
  writeFileSync(
    join(knowledge, 'x.md'),
    '---\nid: fees\ntitle: Fees\nlanguage: de\nintents: [fee, price]\n---\n\nTwo euros.\n',
  )
  expect(readKnowledge(knowledge)).toEqual([
    {
      externalId: 'opening',
      title: 'Opening hours',
      language: 'en',
      tags: [],
      intents: [],
      body: '# Opening hours\n\nFrom nine to five.',
    },
    {
      externalId: 'fees',
      title: 'Fees',
      language: 'de',
      tags: [],
      intents: ['fee', 'price'],
      body: 'Two euros.',
    },
  ])
})

test('the shipped files are what they say: 200 messages, one empty, one of 20,000 characters, every article about a known intent', () => {
  const own = join(import.meta.dirname, '../customer-service')
  const messages = readMessages(join(own, 'messages.jsonl'))
  expect(messages).toHaveLength(200)
  expect(messages.filter((message) => message.text === '')).toHaveLength(1)
  expect(messages.filter((message) => message.text.length === 20_000)).toHaveLength(1)
  const categories = new Set(readExamples(join(own, 'intents.csv')).map((example) => example.category))
  const answered = new Set(readKnowledge(join(own, 'knowledge')).flatMap((article) => article.intents))
  expect(answered).toEqual(categories)
})
