import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyDocument, anyGraph } from './any-document.ts'
import { readDefinition, writeDefinition } from './index.ts'
import type { WorkflowDefinition } from './index.ts'

function accepted(source: unknown): WorkflowDefinition {
  const result = readDefinition(source)
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2))
  return result.definition
}

const asOwn = (definition: WorkflowDefinition) => ({ ...definition, format: 'tutti/1' })

describe('a definition written as YAML', () => {
  it('is the same when it is read again, whatever its shape', () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(anyDocument, (document) => {
        const definition = accepted(document)
        for (const { kind } of Object.values(definition.nodes)) kinds.add(kind)
        const text = writeDefinition(definition)
        const again = accepted(text)
        expect(again).toStrictEqual(definition)
        expect(writeDefinition(again)).toBe(text)
        expect(JSON.parse(JSON.stringify(definition))).toStrictEqual(definition)
      }),
      { numRuns: 200 },
    )
    expect(kinds.size).toBe(11)
  })

  it('is the same when it was a graph', () => {
    let parallels = 0
    fc.assert(
      fc.property(anyGraph, (document) => {
        const result = readDefinition(document)
        if (!result.ok) return
        if (Object.values(result.definition.nodes).some(({ kind }) => kind === 'parallel')) parallels += 1
        expect(accepted(writeDefinition(result.definition))).toStrictEqual(asOwn(result.definition))
      }),
      { numRuns: 500 },
    )
    expect(parallels).toBeGreaterThan(50)
  })

  it("says the seed's workflow in the platform's own format", () => {
    const seed = readFileSync(new URL('fixtures/customer-service-workflow.yaml', import.meta.url), 'utf8')
    const definition = accepted(seed)
    expect(accepted(writeDefinition(definition))).toStrictEqual(asOwn(definition))
  })

  it('leaves out what only repeats a default', () => {
    const text = writeDefinition(
      accepted({
        name: 'x',
        steps: [
          { name: 'a', agent: 'b', timeout: '5m', retry: { attempts: 3 } },
          { name: 'c', agent: 'd' },
        ],
      }),
    )
    expect(text).toBe(`format: tutti/1
name: x
steps:
  - name: a
    agent: b

  - name: c
    agent: d
`)
  })
})
