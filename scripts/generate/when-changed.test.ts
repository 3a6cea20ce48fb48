import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { whenChanged } from './when-changed.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'generate-'))
  writeFileSync(join(directory, 'a.graphql'), 'one')
})
afterEach(() => rmSync(directory, { recursive: true }))

const run = (generate = async () => {}, also: string[] = [], force = false) =>
  whenChanged(
    { directory, inputs: ['*.graphql'], also, output: join(directory, 'generated'), force },
    generate,
  )

test('runs the first time, and not again while nothing changes', async () => {
  expect(await run()).toBe(true)
  expect(await run()).toBe(false)
})

test('runs again when a file changes, appears or disappears', async () => {
  await run()
  writeFileSync(join(directory, 'a.graphql'), 'two')
  expect(await run()).toBe(true)
  writeFileSync(join(directory, 'b.graphql'), '')
  expect(await run()).toBe(true)
  rmSync(join(directory, 'b.graphql'))
  expect(await run()).toBe(true)
})

test('runs again when the other inputs change, and when forced', async () => {
  await run(undefined, ['1'])
  expect(await run(undefined, ['2'])).toBe(true)
  expect(await run(undefined, ['2'], true)).toBe(true)
})

test('a run that failed is repeated, even after an earlier success', async () => {
  await run()
  writeFileSync(join(directory, 'a.graphql'), 'two')
  const failure = run(() => Promise.reject(new Error('no engine')))
  await expect(failure).rejects.toThrow('no engine')
  expect(existsSync(join(directory, 'generated/.stamp'))).toBe(false)
  writeFileSync(join(directory, 'a.graphql'), 'one')
  expect(await run()).toBe(true)
})
