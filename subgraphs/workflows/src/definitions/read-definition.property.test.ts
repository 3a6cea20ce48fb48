import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDefinition } from './index.ts'
import type { ReadResult } from './index.ts'

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
  return known(entry) && order.every(known) && edges.every((edge) => known(edge.from) && known(edge.to))
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

  it("answers the seed's workflow with any piece cut out, doubled or replaced", () => {
    const edit = fc.record({
      from: fc.nat(seed.length),
      length: fc.nat(60),
      by: fc.oneof(
        fc.constant(''),
        fc.string({ maxLength: 12 }),
        fc.constantFrom('end', '&a', '*a', '{', '[', '- ', 'null', '1_', '7b_send_response'),
      ),
    })
    let accepted = 0
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const text = edits.reduce(
          (before, { from, length, by }) => before.slice(0, from) + by + before.slice(from + length),
          seed,
        )
        const result = readDefinition(text)
        if (result.ok) accepted += 1
        return isSound(result)
      }),
      { numRuns: 2_000 },
    )
    // Else the edits would be too coarse to reach what lies behind the parser.
    expect(accepted).toBeGreaterThan(0)
  })
})
