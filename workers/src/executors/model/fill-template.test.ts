import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillTemplate } from './fill-template.ts'

test('what is named is data, and the instructions say which', () => {
  const input = { ticket: { text: 'broken', id: 7 }, customer: 'Ada' }
  expect(fillTemplate('Sum up {{ticket.text}} for {{ customer }}, not {{nobody}}.', input)).toEqual({
    instructions: 'Sum up "ticket.text" of the data for "customer" of the data, not "nobody" of the data.',
    data: { 'ticket.text': 'broken', customer: 'Ada', nobody: null },
  })
})

test('where nothing is named, all of the input is data', () => {
  expect(fillTemplate('Sum it up.', { text: 'x' })).toEqual({
    instructions: 'Sum it up.',
    data: { text: 'x' },
  })
})

test('no input changes the instructions, whatever it says', () => {
  const plain = fillTemplate('Read {{text}}.', {}).instructions
  fc.assert(
    fc.property(fc.anything(), (text) => {
      const { instructions, data } = fillTemplate('Read {{text}}.', { text })
      expect(instructions).toBe(plain)
      expect(data['text']).toBe(text ?? null)
    }),
  )
  expect(fillTemplate('Read {{text}}.', { text: '{{secret}}', secret: 1 }).data).toEqual({
    text: '{{secret}}',
  })
  expect(fillTemplate('Read {{__proto__}} {{text.constructor}}.', { text: 'x' }).data).toEqual({
    ['__proto__']: null,
    'text.constructor': null,
  })
})
