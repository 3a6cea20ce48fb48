import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { root } from './source-files.ts'

/** Below these versions there is a published weakness. `npm audit` is not everywhere; this list is. */
const FLOORS = [
  {
    name: '@apollo/gateway',
    floor: '2.13.2',
    why: 'CVE-2026-32621 prototype pollution by aliases; fragment expansion',
  },
  { name: '@apollo/federation-internals', floor: '2.13.2', why: 'CVE-2026-32621' },
  { name: '@apollo/query-planner', floor: '2.8.5', why: 'CVE-2024-43414 unbounded planning' },
  {
    name: '@apollo/composition',
    floor: '2.13.2',
    why: 'GHSA-mx7m-j9xf-62hw, GHSA-m8jr-fxqx-8xx6 authorization lost',
  },
  {
    name: '@apollo/server',
    floor: '5.5.0',
    why: 'CVE-2026-23897 charset; GHSA-9q82-xgwf-vj6h XS-search by GET',
  },
  { name: 'ws', floor: '8.20.1', why: 'CVE-2024-37890 crash by header count, and one after it' },
] as const

/** Never in the tree, with the reason. */
const REFUSED = [{ name: 'js-yaml', why: 'CVE-2026-53550; `yaml` refuses a billion laughs' }] as const

const lock: { packages: Record<string, { version?: string; dev?: boolean }> } = JSON.parse(
  readFileSync(join(root, 'package-lock.json'), 'utf8'),
)

const installed = Object.entries(lock.packages).flatMap(([path, { version, dev }]) =>
  version !== undefined && path.includes('node_modules/')
    ? [
        {
          name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
          version,
          path,
          dev: dev === true,
        },
      ]
    : [],
)

test.each(FLOORS)('$name is $floor or later ($why)', ({ name, floor }) => {
  const copies = installed.filter((each) => each.name === name)
  expect(copies.length).toBeGreaterThan(0)
  for (const copy of copies) expect(isAtLeast(copy.version, floor), `${copy.path} ${copy.version}`).toBe(true)
})

test.each(REFUSED)('$name is not in production ($why)', ({ name }) => {
  expect(installed.filter((each) => each.name === name && !each.dev).map((each) => each.path)).toEqual([])
})

test('there is one graphql: two refuse each other', () => {
  expect(installed.filter((each) => each.name === 'graphql')).toHaveLength(1)
})

test('the lock file names no host', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/)
})

test('versions are compared by number, not by letter', () => {
  expect(isAtLeast('2.14.4', '2.13.2')).toBe(true)
  expect(isAtLeast('2.9.6', '2.13.2')).toBe(false)
  expect(isAtLeast('2.13.2-beta.1', '2.13.2')).toBe(false)
  expect(isAtLeast('2.13.2', '2.13.2')).toBe(true)
})

function isAtLeast(version: string, floor: string): boolean {
  const numbers = (text: string) => (text.split('-')[0] ?? '').split('.').map(Number)
  const [left, right] = [numbers(version), numbers(floor)]
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return !version.includes('-')
}
