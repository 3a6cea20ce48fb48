import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { readArguments } from './arguments.ts'
import { readBriefs } from './read-briefs.ts'

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'tutti-briefs-')), 'briefs.yaml')
  writeFileSync(path, content)
  return path
}

test('without options the briefs and times are the example’s own', () => {
  const given = readArguments([])
  if (given === 'help') throw new Error('help')
  expect(given).toMatchObject({ cron: '0 9 * * *', timeZone: 'UTC', url: undefined })
  expect(readBriefs(given.briefs).map(({ name }) => name)).toEqual([
    'post for home brewers',
    'post for offices',
  ])
})

test.each([
  [['--brief', 'a.yaml'], "Unknown option '--brief'"],
  [['--cron', ''], '--cron: it is empty'],
  [['a.yaml'], "Unexpected argument 'a.yaml'"],
])('%j is refused with the reason', (args, reason) => {
  expect(() => readArguments(args)).toThrow(reason)
})

test.each([
  ['', 'a list of briefs is needed'],
  ['- name: a\n  input: {x: 1}\n- {name: b}', 'brief 2 needs a "name" and an "input"'],
  ['- {name: a, input: {}}\n- {name: a, input: {}}', 'two briefs have the name "a"'],
  ['- {name: a', 'it is not YAML'],
])('%j is no list of briefs, and the reason is said', (content, reason) => {
  expect(() => readBriefs(file(content))).toThrow(reason)
})
