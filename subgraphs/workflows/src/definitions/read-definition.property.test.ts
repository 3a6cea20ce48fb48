import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDefinition } from './index.ts'
import type { ReadResult } from './index.ts'

const graph = readFileSync(
  new URL('../../../../examples/content-creation/content-creation.yaml', import.meta.url),
  'utf8',
)
const page = readFileSync(new URL('../../../../docs/workflows.md', import.meta.url), 'utf8')
const own = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, code = '']) => code)
const seed = readFileSync(new URL('fixtures/customer-service-workflow.yaml', import.meta.url), 'utf8')

/** Whatever was read: a definition whose references all lead somewhere, or problems with a place and a hint. */
function isSound(result: ReadResult): boolean {
  if (!result.ok)
    return (
      result.problems.length > 0 &&
      result.problems.every(({ message, hint }) => message !== '' && hint !== '')
    )
  const { nodes, edges, entry, order } = result.definition
  const known = (id: string) => Object.hasOwn(nodes, id)
  return (
    known(entry) &&
    order.every(known) &&
    edges.every(({ from, to }) => known(from) && known(to) && nodes[from]?.parent === nodes[to]?.parent)
  )
}

describe('a reader', () => {
  it('answers any text', () => {
    const yamlish = fc.string({
      unit: fc.constantFrom(...'ab1:_-?&*!|>{}[],#"\'\n\t %@`', '\n  ', '- ', ': ', '{a: '),
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), yamlish), (text) =>
        isSound(readDefinition(text)),
      ),
      { numRuns: 2_000 },
    )
  })

  it('answers any JSON value, as text and as object', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6 }),
        (value) => isSound(readDefinition(value)) && isSound(readDefinition(JSON.stringify(value))),
      ),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ["the seed's workflow", fc.constant(seed), 700],
    ['the content-creation graph', fc.constant(graph), 300],
    ["the workflows of the platform's own format", fc.constantFrom(...own), 700],
  ])('answers %s with any piece cut out, doubled or replaced', (_, texts, numRuns) => {
    const edit = fc.record({
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.oneof(fc.nat(2), fc.nat(60)),
      by: fc.oneof(
        fc.constant(''),
        fc.string({ maxLength: 12 }),
        fc.constantFrom(
          'end',
          '&a',
          '*a',
          '{',
          '[',
          '- ',
          'null',
          '1_',
          '7b_send_response',
          '= ',
          'steps: ',
          'type: map',
        ),
      ),
    })
    // One letter more or less, often within a text or a name: a tenth and more of these are definitions still.
    const gentle = fc
      .record({
        from: fc.double({ min: 0, max: 1, noNaN: true }),
        length: fc.nat(1),
        by: fc.constantFrom('', 'x', ' '),
      })
      .map((each) => [each])
    let accepted = 0
    fc.assert(
      fc.property(texts, fc.oneof(fc.array(edit, { minLength: 1, maxLength: 3 }), gentle), (text, edits) => {
        const edited = edits.reduce((before, { from, length, by }) => {
          const at = Math.floor(from * before.length)
          return before.slice(0, at) + by + before.slice(at + length)
        }, text)
        const result = readDefinition(edited)
        if (result.ok) accepted += 1
        return isSound(result)
      }),
      { numRuns },
    )
    // Else the edits would be too coarse to reach what lies behind the parser.
    expect(accepted).toBeGreaterThan(0)
  })
})
