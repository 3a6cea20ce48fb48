import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toolHash } from './tool-hash.ts'

const tool = {
  name: 'translate',
  description: 'Translates.',
  inputSchema: { type: 'object', required: ['text'] },
}

test('a hash is of name, description and schema, whatever the order of keys', () => {
  const hash = toolHash(tool)
  expect(hash).toMatch(/^[0-9a-f]{64}$/)
  expect(toolHash({ ...tool, inputSchema: { required: ['text'], type: 'object' } })).toBe(hash)
  for (const other of [
    { ...tool, name: 'translates' },
    { ...tool, description: 'Translates. ' },
    { ...tool, description: null },
    { ...tool, inputSchema: { ...tool.inputSchema, required: [] } },
  ])
    expect(toolHash(other)).not.toBe(hash)
})

test('different schemas have different hashes, equal ones the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
      const [a, b] = [left, right].map((inputSchema) => JSON.parse(JSON.stringify(inputSchema)))
      const same = toolHash({ ...tool, inputSchema: a }) === toolHash({ ...tool, inputSchema: b })
      expect(same).toBe(equal(a, b))
    }),
  )
})

function equal(left: unknown, right: unknown): boolean {
  try {
    expect(left).toEqual(right)
    return true
  } catch {
    return false
  }
}
