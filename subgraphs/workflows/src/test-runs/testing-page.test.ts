import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../../../docs/testing-workflows.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(({ 1: code = '' }) => code)
const folder = mkdtempSync(join(tmpdir(), 'testing-page-'))
const door = pathToFileURL(join(import.meta.dirname, '../domain.ts')).href

afterAll(() => rmSync(folder, { recursive: true }))

it('the page about testing has tests to run', () => {
  expect(blocks.length).toBeGreaterThan(1)
  for (const code of blocks) expect(code).toMatch(/\btest\('/)
})

/** The tests of a block become tests here. */
describe.each(blocks.map((code, index) => [`block ${index + 1}`, code] as const))(
  '%s',
  async (name, code) => {
    const file = join(folder, `${name.replace(' ', '-')}.ts`)
    const here = code
      .replace("'@tutti/workflows/domain'", `'${door}'`)
      .replace("'vitest'", `'${import.meta.resolve('vitest')}'`)
    writeFileSync(file, here)
    await import(pathToFileURL(file).href)
  },
)
