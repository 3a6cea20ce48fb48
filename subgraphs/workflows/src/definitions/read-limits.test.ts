import { describe, expect, it } from 'vitest'
import { readDefinition, writeDefinition } from './index.ts'

const MIB = 1_048_576

/** Text of a workflow of so many steps, made as long as wanted by what `more` writes into each. */
function workflow(steps: number, more: (step: number) => string): string {
  return `name: x\nsteps:\n${Array.from({ length: steps }, (_, n) => `  - name: s${n}\n    agent: a\n${more(n)}`).join('')}`
}

const padded = (text: string, length: number) => text + '#'.repeat(length - text.length)
const fields = (count: number) =>
  Array.from({ length: count }, (_, n) => `        field_${n}: {type: string, maxLength: 2000}\n`).join('')

describe('a definition of 1 MiB', () => {
  it.each([
    ['one long description', padded('name: x\nsteps: [{name: a, agent: b}]\ndescription: x', 1_000_000)],
    ['a comment', padded('name: x\nsteps: [{name: a, agent: b}]\n', MIB)],
    ['500 steps that are described', workflow(500, () => `    description: ${'lorem ipsum '.repeat(170)}\n`)],
    [
      '500 steps with the schemas of their results',
      workflow(500, () => `    output_schema:\n      type: object\n      properties:\n${fields(38)}`),
    ],
    [
      '480 steps with ten expressions each',
      workflow(480, (n) =>
        [
          '    input:',
          ...Array.from({ length: 10 }, (_, at) => `      p${at}: "= ${n} + ${'1 + '.repeat(47)}1"`),
          '',
        ].join('\n'),
      ),
    ],
  ])('works: %s', (_, text) => {
    expect(text.length).toBeGreaterThan(900_000)
    expect(text.length).toBeLessThanOrEqual(MIB)
    const result = readDefinition(text)
    expect(result.ok, JSON.stringify(result).slice(0, 500)).toBe(true)
  })

  it('is written back within the limit, on one line where indentation would not fit', () => {
    const schema = {
      properties: Object.fromEntries(
        Array.from({ length: 380 }, (_, n) => [`field_${n}`, { title: 'x'.repeat(30) }]),
      ),
    }
    const steps = Array.from({ length: 45 }, (_, n) => ({ name: `s${n}`, agent: 'a', output_schema: schema }))
    const result = readDefinition({ name: 'x', steps })
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    const text = writeDefinition(result.definition)
    expect(text.length).toBeGreaterThan(900_000)
    expect(text).toMatch(/^\{"format"/)
    expect(readDefinition(text)).toEqual(result)
  })

  it('is the limit, which a longer one is told', () => {
    for (const length of [MIB + 1, 5 * MIB]) {
      const result = readDefinition(padded('name: x\nsteps: [{name: a, agent: b}]\n', length))
      expect(result).toMatchObject({
        ok: false,
        problems: [{ code: 'text_too_large', message: expect.stringContaining('1 MiB') }],
      })
    }
  })

  it('is counted in bytes', () => {
    expect(
      readDefinition(`name: x\nsteps: [{name: a, agent: b}]\ndescription: ${'é'.repeat(MIB / 2)}`).ok,
    ).toBe(false)
  })
})
