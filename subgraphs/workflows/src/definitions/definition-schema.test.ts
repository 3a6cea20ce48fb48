import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { anyDocument } from './any-document.ts'
import { definitionSchema, readDefinition, writeDefinition } from './index.ts'

// Strict: a keyword that is misspelt in the schema fails here.
const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(
  definitionSchema(),
)

describe('the JSON Schema of a workflow', () => {
  it('is the one that is published (npm run compose writes it)', () => {
    const published = new URL('../../../../schema/workflow.schema.json', import.meta.url)
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(definitionSchema())),
    )
  })

  it('accepts what the reader accepts, as written by hand and by the writer', () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        expect(validate(document), JSON.stringify(validate.errors)).toBe(true)
        const result = readDefinition(document)
        if (!result.ok) throw new Error(JSON.stringify(result.problems))
        expect(validate(parse(writeDefinition(result.definition))), JSON.stringify(validate.errors)).toBe(
          true,
        )
      }),
      { numRuns: 100 },
    )
  })

  it.each([
    ['a step without a name', '{agent: a}'],
    ['a step without an agent', '{name: a}'],
    ['an agent and a capability', '{name: a, agent: b, capability: c}'],
    ['a misspelt key', '{name: a, agnet: b}'],
    ['a key of another kind', '{name: a, agent: b, question: Ok?}'],
    ['a loop without a bound', '{name: a, while: "true", steps: [{name: b, agent: c}]}'],
    ['a join of none', '{name: a, join: 0, branches: {l: [{name: b, agent: c}]}}'],
    ['a branch without steps', '{name: a, branches: {l: []}}'],
    ['a branch with a bracket', '{name: a, branches: {"l[": [{name: b, agent: c}]}}'],
    ['a number as a duration', '{name: a, for: 30}'],
    ['a month', '{name: a, for: P1M}'],
    ['two things to wait for', '{name: a, signal: b, event: c}'],
    ['a choice between nothing', '{name: a, branches: []}'],
    ['a message to nobody', '{name: a, body: Hello}'],
    ['a step named with a slash', '{name: a/b, agent: c}'],
    ['a deep mistake', '{name: a, over: xs, steps: [{name: b, max_turns: 2, steps: [{name: c, agnet: d}]}]}'],
  ])('refuses %s, as the reader does', (_, step) => {
    const text = `name: x\ninputs: [xs]\nsteps:\n  - ${step}`
    expect(readDefinition(text).ok).toBe(false)
    expect(validate(parse(text))).toBe(false)
  })
})
