import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeIn, toolArguments } from './tool-arguments.ts'

const input = { text: 'hi', deep: { list: [{ n: 1 }, { n: 2 }] } }

test('without a mapping the input is the arguments', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
      expect(toolArguments(given, undefined)).toEqual(given)
    }),
  )
})

test('a mapping takes places of the input and values, and leaves out what is not there', () => {
  const mapping = {
    message: { from: 'text' },
    second: { from: 'deep.list.1.n' },
    all: { from: 'deep' },
    none: { from: 'deep.list.9.n' },
    language: 'de',
    options: { from: 'text', to: 'elsewhere' },
  }
  expect(toolArguments(input, mapping)).toEqual({
    message: 'hi',
    second: 2,
    all: input.deep,
    language: 'de',
    options: { from: 'text', to: 'elsewhere' },
  })
})

test('only what a value has itself is a place in it', () => {
  for (const path of ['constructor', '__proto__', 'text.length', 'deep.list.length.x', 'deep.toString', ''])
    expect(placeIn(input, path)).toBeUndefined()
})
