import type { Artifact, Part } from '@a2a-js/sdk'
import { expect, test } from 'vitest'
import { contentOf, outputOfArtifacts, partOf } from './a2a-parts.ts'

const bare = { metadata: undefined, filename: '', mediaType: '' }
const text = (value: string): Part => ({ ...bare, content: { $case: 'text', value } })
const data = (value: unknown): Part => ({ ...bare, content: { $case: 'data', value } })
const artifact = (artifactId: string, ...parts: Part[]): Artifact => ({
  artifactId,
  name: '',
  description: '',
  parts,
  metadata: undefined,
  extensions: [],
})

test.each([
  ['nothing', [], null],
  ['pieces of one text', [artifact('a', text('on'), text('ce'))], 'once'],
  ['two texts', [artifact('a', text('one')), artifact('b', text('two'))], 'one\ntwo'],
  ['one value', [artifact('a', data({ x: 1 }))], { x: 1 }],
  ['two values', [artifact('a', data(1), data(2))], [1, 2]],
  ['a text and a value', [artifact('a', text('see'), data(null))], ['see', null]],
  [
    'files',
    [
      artifact(
        'a',
        { ...bare, content: { $case: 'raw', value: Buffer.from('hi') }, filename: 'hi.txt' },
        { ...bare, content: { $case: 'url', value: 'https://x.example/y' }, mediaType: 'image/png' },
      ),
    ],
    [
      { bytes: 'aGk=', filename: 'hi.txt' },
      { url: 'https://x.example/y', mediaType: 'image/png' },
    ],
  ],
  ['a part of no known kind', [artifact('a', bare)], null],
])('artifacts with %s', (_, artifacts, output) => {
  expect(outputOfArtifacts(artifacts)).toEqual(output)
})

test('an input is sent as the text it is, else as data', () => {
  expect(contentOf({ message: 'hi' }, undefined, undefined)).toEqual({ text: 'hi' })
  expect(contentOf({ message: 1 }, undefined, undefined)).toEqual({ data: { message: 1 } })
  expect(contentOf({ a: 'x', b: 'y' }, undefined, undefined)).toEqual({ data: { a: 'x', b: 'y' } })
  expect(contentOf({ a: 'x', b: 'y' }, 'x', 'a')).toEqual({ text: 'x' })
  expect(contentOf({ a: 'x' }, undefined, 'b')).toBeUndefined()
  expect(partOf({ text: 'hi' })).toMatchObject({
    content: { $case: 'text', value: 'hi' },
    mediaType: 'text/plain',
  })
})
