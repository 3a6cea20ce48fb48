import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSchema, type JsonSchema, type SchemaProblem } from './compile-schema.ts'

function check(schema: JsonSchema, value: unknown): readonly SchemaProblem[] {
  const compiled = compileSchema(schema)
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.check(value)
}

describe('a schema', () => {
  const order: JsonSchema = {
    type: 'object',
    properties: { items: { type: 'array', items: { $ref: '#/$defs/item' } }, total: { type: 'number' } },
    required: ['items', 'total'],
    additionalProperties: false,
    $defs: { item: { type: 'object', required: ['name'] } },
  }

  it('says everything that does not fit, and where', () => {
    expect(check(order, { items: [{ name: 'a' }], total: 3 })).toEqual([])
    expect(check(order, { items: [{ name: 'a' }, {}], total: '3', note: 1 })).toEqual([
      { path: '', message: 'must NOT have additional properties ("note")' },
      { path: 'items.1', message: "must have required property 'name'" },
      { path: 'total', message: 'must be number' },
    ])
  })

  it('may be true or false', () => {
    expect(check(true, 1)).toEqual([])
    expect(check(false, 1)).toHaveLength(1)
  })

  it('knows the names of 2020-12, where format describes only', () => {
    expect(check({ prefixItems: [{ type: 'string' }], items: false }, ['a', 1])).toHaveLength(1)
    expect(check({ format: 'date-time' }, 'soon')).toEqual([])
  })

  it.each([
    [{ type: 'nonsense' }, /type/],
    [{ pattern: '(' }, /regular expression/],
    [{ $schema: 'https://elsewhere.example/dialect' }, /dialect/],
    [{ $ref: 'https://elsewhere.example/schema' }, /reference/],
  ])('%j cannot be used, and the answer says why', (schema, message) => {
    expect(compileSchema(schema)).toMatchObject({ ok: false, message: expect.stringMatching(message) })
  })

  it('does not see the schemas of others by their $id', () => {
    const $id = 'https://tenant.example/order'
    expect(check({ $id, type: 'string' }, 1)).toHaveLength(1)
    expect(check({ $id, type: 'number' }, 1)).toEqual([])
    expect(compileSchema({ $ref: $id }).ok).toBe(false)
  })

  it.each<[string, JsonSchema, unknown]>([
    ['a pattern that backtracks', { pattern: '^(a+)+$' }, `${'a'.repeat(60)}b`],
    ['references that fan out', fan(40), 1],
    ['a value nested without end', { items: { $ref: '#' } }, nest(100_000)],
  ])('is not held up by %s', (_, schema, value) => {
    expect(check(schema, value)).toHaveLength(1)
  })

  it('answers any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(check({ type: ['string', 'number'] }, value).length === 0).toBe(
          typeof value === 'string' || typeof value === 'number',
        )
      }),
    )
  })
})

/** A schema of `depth` definitions, each the next one twice. */
function fan(depth: number): JsonSchema {
  const steps = Array.from({ length: depth }, (_, at) => {
    const next = { $ref: `#/$defs/d${at + 1}` }
    return [`d${at}`, { allOf: [next, next] }]
  })
  return { $ref: '#/$defs/d0', $defs: Object.fromEntries([...steps, [`d${depth}`, { type: 'number' }]]) }
}

function nest(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}
