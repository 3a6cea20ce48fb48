import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { BUGS } from './bugs.ts'
import { SeedThread } from './play-seeds.ts'
import { INVARIANTS } from './violation.ts'

/** Each is found by one of the first seeds, so that it would be found among those that every run of the tests plays. */
const SOON = 400

const thread = new SeedThread()
afterAll(() => thread[Symbol.asyncDispose]())

test('there are bugs enough, each with a name', () => {
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
  expect(BUGS.length).toBeGreaterThanOrEqual(12)
})

test('docs/simulation.md lists the bugs, by what they are noticed, and what must hold', () => {
  expect(tableRows('planted')).toEqual(BUGS.map(({ name, caughtBy }) => [name, caughtBy.join(', ')]))
  const invariants = tableRows('invariant').flatMap(([name = '']) => name)
  expect(invariants.toSorted()).toEqual([...INVARIANTS].sort())
})

/** Cells of the table with this first header. */
function tableRows(header: string): string[][] {
  const page = readFileSync(new URL('../../../../../docs/simulation.md', import.meta.url), 'utf8')
  const [, table = ''] = page.split(`| ${header} |`)
  return [...(table.split('\n\n')[0] ?? '').matchAll(/^\| ([^-].*) \|$/gm)].map(([, row = '']) =>
    row.split(' | '),
  )
}

test.each(BUGS.map(({ name, caughtBy }) => [name, caughtBy] as const))(
  'it is noticed when %s',
  { timeout: 120_000 },
  async (bug, caughtBy) => {
    const { broken, seeds } = await thread.play({ from: 1, to: SOON + 1, bug })
    expect(caughtBy).toContain(broken?.invariant)
    // The same worlds without the bug are sound: it is the bug that was noticed.
    const mended = await thread.play({ from: 1, to: seeds + 1, bug, isMended: true })
    expect(mended.broken).toBeUndefined()
  },
)
