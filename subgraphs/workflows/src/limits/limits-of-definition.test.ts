import { expect, test } from 'vitest'
import { limitKeyOf } from './limit-key.ts'
import { limitsOfDefinition } from './limits-of-definition.ts'

const workflow = { id: '0', name: 'flow' }

test('a definition’s concurrency is a limit on its runs, in all or for each value of its key', () => {
  expect(limitsOfDefinition(workflow, {})).toEqual([])
  const whole = limitsOfDefinition(workflow, { concurrency: { max: 3 } })
  expect(whole).toMatchObject([
    { name: 'flow', scope: 'workflow', subject: '0', counts: 'runs', maxRunning: 3, perKey: null },
  ])
  const [each] = limitsOfDefinition(workflow, { concurrency: { max: 1, key: 'customer.id' } })
  expect(each).toMatchObject({ maxRunning: 1, perKey: 'customer.id' })
})

test('the key is what its expression says of the input, as text', () => {
  const keyOf = (key: string | undefined, input: Record<string, unknown>) =>
    limitKeyOf({ concurrency: { max: 1, ...(key === undefined ? {} : { key }) } }, input)
  expect(limitKeyOf({}, {})).toBeNull()
  expect(keyOf(undefined, {})).toBeNull()
  expect(keyOf('customer.id', { customer: { id: 'c1' } })).toBe('c1')
  expect(keyOf('number', { number: 7 })).toBe('7')
  expect(keyOf('{"a": x, "b": 1}', { x: 'y' })).toBe('{"a":"y","b":1}')
  expect(keyOf('region + "/" + plan', { region: 'eu', plan: 'pro' })).toBe('eu/pro')
})

test('inputs without a value for the key count together, and a long one as its hash', () => {
  const concurrency = { max: 1, key: 'customer.id' }
  for (const input of [{}, { customer: {} }, { customer: { id: null } }, { customer: 'nobody' }])
    expect(limitKeyOf({ concurrency }, input)).toBe('')
  const long = limitKeyOf({ concurrency }, { customer: { id: 'x'.repeat(5_000) } })
  expect(long).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(limitKeyOf({ concurrency }, { customer: { id: 'x'.repeat(5_001) } })).not.toBe(long)
  expect(limitKeyOf({ concurrency }, { customer: { id: 'a\0b' } })).toMatch(/^sha256:/)
})
