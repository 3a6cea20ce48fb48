import { basename, dirname } from 'node:path'

import { expect, test } from 'vitest'

import { sourceFiles } from './source-files.ts'

const files = sourceFiles()
const matching = (pattern: RegExp, among: readonly { path: string; code: string }[] = files) =>
  among.flatMap(({ path, code }) => [...code.matchAll(pattern)].map((match) => `${path}: ${match[0].trim()}`))
/** Template texts hold other languages, in which the same words mean something else: a workflow's `join: any`. */
const withoutTemplates = (among: typeof files) =>
  among.map(({ path, code }) => ({ path, code: code.replace(/`(?:\\[^]|[^`\\])*`/g, '``') }))

test('the rules see the tree', () => {
  expect(files.length).toBeGreaterThan(100)
})

test('nothing is any, and no mistake is silenced', () => {
  expect(matching(/\bas any\b|:\s*any\b(?!\w)|<any>|\bas unknown as\b/g, withoutTemplates(files))).toEqual([])
  const silenced = files.filter(({ text }) => /@ts-(ignore|expect-error|nocheck)/.test(text))
  expect(silenced.map(({ path }) => path)).toEqual([])
})

test('no Prisma filter or write that composite keys turn into something else', () => {
  // `agent: { is: null }` means `organizationId IS NULL AND …`; `disconnect` and a relation's `set` null the tenant.
  const data = sourceFiles(['prisma/src', 'subgraphs', 'workers', 'gateway', 'runtime', 'standalone'])
  expect(
    matching(/\bis\s*:\s*null\b|\bisNot\s*:|\bdisconnect\s*:|\bset\s*:\s*[[{]/g, withoutTemplates(data)),
  ).toEqual([])
})

test('raw SQL goes through the tenant transaction, which binds its parameters', () => {
  const others = files.filter(({ path }) => !path.startsWith('prisma/'))
  expect(matching(/\$(queryRaw|executeRaw)(Unsafe)?\b/g, others)).toEqual([])
})

test('workers enter a subgraph by its door only', () => {
  // Their tests go in by the graph as well.
  const workers = sourceFiles(['workers']).filter(({ path }) => !path.endsWith('.test.ts'))
  expect(
    matching(/from '@tutti\/(agents|governance|knowledge|metrics|workflows)(\/(?!domain')[^']*)?'/g, workers),
  ).toEqual([])
})

test('no file or folder is a hub for what has no name', () => {
  const hubs = /^(utils?|lib|common|types?|helpers?|misc|shared|interfaces|enums)$/
  const named = files.flatMap(({ path }) => [
    ...dirname(path).split('/'),
    basename(path).replace(/(\.test)?\.ts$/, ''),
  ])
  expect([...new Set(named)].filter((name) => hubs.test(name))).toEqual([])
})

test('a test is beside something and is run: no .only, no .skip without a condition', () => {
  const tests = files.filter(({ path }) => path.endsWith('.test.ts'))
  expect(matching(/\b(describe|it|test)\.(only|skip|todo)\(/g, tests)).toEqual([])
})
