import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { findDoor } from './find-door.ts'

function home(files: Record<string, unknown>): NodeJS.ProcessEnv {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-door-'))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), JSON.stringify(content))
  return { TUTTI_DIRECTORY: directory }
}

test('what npm start left behind is enough', () => {
  const left = home({
    'door.json': { url: 'http://127.0.0.1:4123/graphql' },
    'keys.json': { operator: 'tutti_o', admin: 'tutti_a' },
  })
  expect(findDoor({ role: 'operator' }, left)).toMatchObject({
    url: 'http://127.0.0.1:4123/graphql',
    key: 'tutti_o',
  })
})

test('an option goes before the environment, and that before the files', () => {
  const all = {
    ...home({ 'keys.json': { admin: 'from-file' } }),
    TUTTI_API_KEY: 'from-environment',
    TUTTI_URL: 'http://e.test/graphql',
  }
  expect(findDoor({ role: 'admin' }, all)).toMatchObject({
    url: 'http://e.test/graphql',
    key: 'from-environment',
  })
  expect(findDoor({ role: 'admin', url: 'https://o.test', key: 'k' }, all)).toMatchObject({
    url: 'https://o.test/graphql',
    key: 'k',
  })
})

test('no key, a key of another role and an address that is none are each said plainly', () => {
  expect(() => findDoor({ role: 'admin' }, home({}))).toThrow(
    'No API key: give --key KEY or set TUTTI_API_KEY',
  )
  expect(() => findDoor({ role: 'admin' }, home({ 'keys.json': { viewer: 'v' } }))).toThrow(
    'no key for the role "admin"',
  )
  expect(() => findDoor({ role: 'admin', url: 'localhost:4000' }, home({}))).toThrow(
    '"localhost:4000" is not an http(s) address',
  )
})
