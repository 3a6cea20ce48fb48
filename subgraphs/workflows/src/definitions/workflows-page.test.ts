import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { DEFINITION_PROBLEMS, definitionSchema, readDefinition, writeDefinition } from './index.ts'

const page = readFileSync(new URL('../../../../docs/workflows.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(
  ({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: page.slice(0, index).split('\n').length + 1,
  }),
)
const yaml = blocks.filter(({ language }) => language === 'yaml')
const refusedAs = (code: string) => /^# refused: (\w+)$/m.exec(code)?.[1]
const named = (list: typeof blocks) => list.map((block) => [`line ${block.line}`, block.code] as const)
const isValid = new Ajv2020({ strict: false }).compile(definitionSchema())

describe('the page about workflows', () => {
  const valid = named(yaml.filter(({ code }) => refusedAs(code) === undefined))
  const refused = named(yaml.filter(({ code }) => refusedAs(code) !== undefined))

  it('shows every kind of step', () => {
    const kinds = valid.flatMap(([, code]) => {
      const result = readDefinition(code)
      return result.ok ? Object.values(result.definition.nodes).map(({ kind }) => kind) : []
    })
    expect(new Set(kinds).size).toBe(11)
    expect(refused.length).toBeGreaterThan(2)
  })

  it.each(valid)('has a workflow at %s, which is read, written back, and fits the schema', (_, code) => {
    const result = readDefinition(code)
    if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2))
    const again = readDefinition(writeDefinition(result.definition))
    expect(again).toEqual({ ok: true, definition: { ...result.definition, format: 'tutti/1' } })
    expect(isValid(parse(writeDefinition(result.definition))), JSON.stringify(isValid.errors)).toBe(true)
    if (result.definition.format === 'tutti/1')
      expect(isValid(parse(code)), JSON.stringify(isValid.errors)).toBe(true)
  })

  it.each(refused)('has a mistake at %s, which is refused as it says, and by the schema', (_, code) => {
    const result = readDefinition(code)
    expect(result.ok ? [] : result.problems.map((problem) => problem.code)).toEqual([refusedAs(code)])
    expect(isValid(parse(code))).toBe(false)
  })

  it('lists every code of a mistake', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, code, means]) => [code, means])
    expect(rows.filter(([code]) => code !== undefined && code in DEFINITION_PROBLEMS)).toEqual(
      Object.entries(DEFINITION_PROBLEMS),
    )
  })

  it('shows TypeScript that runs, and gives a workflow that is read', async () => {
    const [block] = blocks.filter(({ language }) => language === 'ts')
    const folder = mkdtempSync(join(tmpdir(), 'workflows-page-'))
    try {
      const file = join(folder, 'publish.ts')
      const door = pathToFileURL(join(import.meta.dirname, 'index.ts')).href
      writeFileSync(file, block?.code.replace('@tutti/workflows/domain', door) ?? '')
      const { text }: { text: string } = await import(pathToFileURL(file).href)
      expect(readDefinition(text)).toMatchObject({ ok: true, definition: { name: 'publish_post' } })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
