import { expect, test } from 'vitest'

import { findCycles } from './find-cycles.ts'
import { relativeImports } from './relative-imports.ts'

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges))

test('a tree and a diamond have no cycle', () => {
  expect(findCycles(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([])
})

test('a circle is given as the way around it', () => {
  expect(findCycles(graph({ a: ['b'], b: ['c'], c: ['b'] }))).toEqual([['b', 'c']])
})

test('a file that imports itself is a circle', () => {
  expect(findCycles(graph({ a: ['a'] }))).toEqual([['a']])
})

test('circles that do not touch are all told', () => {
  expect(findCycles(graph({ a: ['b'], b: ['a'], c: ['d'], d: ['c'] }))).toHaveLength(2)
})

test('values, types, re-exports and dynamic imports count; packages and comments do not', () => {
  const source = `
    import { a } from './a.ts'
    import type { B } from '../b.ts'
    import './c.ts'
    export { d } from './d.ts'
    export * from './e.ts'
    const f = await import('./f.ts')
    import { parse } from 'graphql'
    // import './not.ts'
    export const text = "import './nor.ts'"
  `
  expect(relativeImports('x/src/file.ts', source).sort()).toEqual([
    'x/b.ts',
    'x/src/a.ts',
    'x/src/c.ts',
    'x/src/d.ts',
    'x/src/e.ts',
    'x/src/f.ts',
  ])
})
