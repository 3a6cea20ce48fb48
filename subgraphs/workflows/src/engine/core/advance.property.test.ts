import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDefinition } from '../../definitions/index.ts'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { FALLBACK_STATE, isRunOver, isTaskOver } from './index.ts'
import { definitionOf, RANDOM_INPUT, randomBodies } from './random-definition.ts'
import { simulateRun } from './simulate-run.ts'
import type { SimulatedRun } from './simulate-run.ts'

type Shape = {
  readonly definition: WorkflowDefinition
  readonly alternatives: readonly (readonly string[])[]
}

const part = fc.record({
  kind: fc.constantFrom('task', 'task', 'choice', 'review'),
  width: fc.integer({ min: 2, max: 3 }),
  retries: fc.nat(3),
  test: fc.constantFrom(
    'o0.value > 0.5',
    'o0.flag',
    'n > 3',
    'o0.nothing > 1',
    'has(o0.value) && o0.value < 0.3',
  ),
})

/** A sequence of work, reviews and choices between alternatives, in numbered steps; some with a fallback. */
const shapes: fc.Arbitrary<Shape> = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 8 }), fc.option(fc.nat(100)), fc.nat(3))
  .map(([parts, fallbackAt, retries]) => {
    const steps: Record<string, object> = { '1_s0': { agent: 'a', output: 'o0' } }
    const alternatives: string[][] = []
    let number = 1
    for (const { kind, width, retries: own, test } of parts) {
      number += 1
      if (kind === 'task')
        steps[`${number}_s${number}`] = { agent: 'a', input: 'o0', output: `o${number}`, retry_attempts: own }
      if (kind === 'review')
        steps[`${number}_s${number}`] = {
          type: 'review',
          question: 'Go on?',
          deadline_seconds: 5,
          if_rejected: 'end',
        }
      if (kind !== 'choice') continue
      const names = [...'abc'].slice(0, width).map((letter) => `alt${number + 1}${letter}`)
      steps[`${number}_c${number}`] = {
        branches: names
          .slice(1)
          .map((next, index) => ({ when: index === 0 ? test : 'o0.value < 0.7', next })),
        default: names[0],
      }
      number += 1
      for (const [index, name] of names.entries())
        steps[`${number}${'abc'[index]}_${name}`] = { agent: 'a', output: `o${number}` }
      alternatives.push(names)
    }
    const names = Object.keys(steps).map((key) => key.replace(/^\d+[a-c]?_/, ''))
    const fallback = fallbackAt === null ? {} : { fallback_action: names[fallbackAt % names.length] }
    const result = readDefinition({
      name: 'random',
      inputs: ['n'],
      steps,
      error_handling: { retry_attempts: retries, ...fallback },
    })
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    return { definition: result.definition, alternatives }
  })

const seeds = fc.integer()
const completed = ({ run }: SimulatedRun, names: readonly string[]) =>
  names.filter((name) => run.tasks.get(name)?.status === 'completed')
const hadFallback = ({ run }: SimulatedRun) =>
  run.transitions.some(
    ({ type, ...more }) => type === 'write_state' && 'name' in more && more.name === FALLBACK_STATE,
  )

describe('any run, through crashes, duplicates and events that change places', () => {
  it('ends, with every task over and none completed twice', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(shapes, seeds, fc.nat(6), fc.boolean(), ({ definition }, seed, n, cancels) => {
        const { run } = simulateRun(definition, { n }, seed, { cancels, failing: 0.35 })
        seen.add(`${run.status}${run.output?.fallback ? ' by fallback' : ''}`)
        expect(isRunOver(run.status)).toBe(true)
        for (const task of run.tasks.values()) {
          expect(isTaskOver(task.status)).toBe(true)
          expect(task.completions).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 500 },
    )
    // Every end was met, or the property says little.
    expect(seen).toEqual(new Set(['completed', 'completed by fallback', 'failed', 'cancelled']))
  })

  it('runs exactly one alternative of each choice it comes to', () => {
    let choices = 0
    fc.assert(
      fc.property(shapes, seeds, fc.nat(6), ({ definition, alternatives }, seed, n) => {
        const simulated = simulateRun(definition, { n }, seed, { failing: 0.35 })
        const { run } = simulated
        for (const names of alternatives) {
          const begun = names.filter((name) => run.tasks.has(name))
          if (!hadFallback(simulated)) expect(begun.length).toBeLessThanOrEqual(1)
          // With a fallback, the one that failed and the one that took over may both have begun.
          expect(completed(simulated, names).length).toBeLessThanOrEqual(1)
          choices += begun.length
        }
        const kinds = Object.values(definition.nodes).map(({ kind }) => kind)
        const isSkipped = [...run.tasks.values()].some(({ status }) => status === 'skipped')
        if (run.status !== 'completed' || hadFallback(simulated) || kinds.includes('review') || isSkipped)
          return
        for (const names of alternatives) expect(completed(simulated, names)).toHaveLength(1)
      }),
      { numRuns: 500 },
    )
    expect(choices).toBeGreaterThan(200)
  })

  it('comes to the same end from the same seed', () => {
    fc.assert(
      fc.property(randomBodies, seeds, (body, seed) => {
        const definition = definitionOf(body)
        const [once, again] = [1, 2].map(() => simulateRun(definition, RANDOM_INPUT, seed).run.transitions)
        expect(once).toEqual(again)
      }),
    )
  })

  it("of the seed's workflow sends or escalates, and never both", () => {
    const result = readDefinition(
      readFileSync(
        new URL('../../definitions/fixtures/customer-service-workflow.yaml', import.meta.url),
        'utf8',
      ),
    )
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    const ends = new Map<string, number>()
    for (let seed = 0; seed < 500; seed += 1) {
      const world = { failing: 0.35 }
      const simulated = simulateRun(result.definition, { customer_message: 'Hello' }, seed, world)
      const { run } = simulated
      const isSkipped = ['send_response', 'escalate_to_human'].some(
        (name) => run.tasks.get(name)?.status === 'skipped',
      )
      expect(completed(simulated, ['send_response', 'escalate_to_human']).length).toBe(
        run.status === 'completed' && !isSkipped ? 1 : 0,
      )
      ends.set(run.status, (ends.get(run.status) ?? 0) + 1)
    }
    expect(ends.get('completed')).toBeGreaterThan(300)
    expect(ends.get('failed')).toBeGreaterThan(2)
  })
})
