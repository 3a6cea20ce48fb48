import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PlanBounds, WorkflowDefinition } from '../definitions/index.ts'
import { playRun } from '../engine/core/play-run.ts'
import { isPlan, readPlan } from './read-plan.ts'

const errorHandling: WorkflowDefinition['errorHandling'] = {
  retry: { maxAttempts: 1, initialDelayMs: 1, factor: 1, maxDelayMs: 1 },
  timeoutMs: 60_000,
}
const plannerOf = (bounds: PlanBounds, input: Record<string, unknown> = {}) => ({
  bounds,
  input,
  definition: { name: 'flow', errorHandling },
  agents: ['a', 'b'].map((name) => ({ name, capabilities: ['writing'] })),
})
const anyBounds = fc.record(
  {
    maxTasks: fc.integer({ min: 1, max: 1_000 }),
    maxDepth: fc.integer({ min: 1, max: 5 }),
    budgetUsd: fc.integer({ min: 0, max: 9 }),
    agents: fc.subarray(['a', 'b', 'c']),
  },
  { requiredKeys: ['maxTasks', 'maxDepth'] },
)
const anyTask = fc.record(
  {
    name: fc.constantFrom('x', 'y', 'tasks', 'in_order', 'not a name', '__proto__'),
    agent: fc.constantFrom('a', 'b', 'nobody'),
    input: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
  },
  { requiredKeys: [] },
)

describe('a plan, whatever it is', () => {
  it('is read or refused with paths in the result, and never throws', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue()), fc.array(anyTask))
    fc.assert(
      fc.property(anything, fc.constantFrom('$plan', '$tasks'), anyBounds, (value, key, bounds) => {
        const output = { [key]: value }
        expect(isPlan(output)).toBe(true)
        const reading = readPlan(output, plannerOf(bounds))
        if (reading.ok) return
        expect(reading.problems.length).toBeGreaterThan(0)
        for (const { path } of reading.problems) expect(path).toMatch(/^\$(plan|tasks)(\.|$)/)
      }),
    )
  })

  it('hands every task exactly what its plan said', () => {
    const anyTasks = fc.array(
      fc.dictionary(
        fc.string().filter((name) => !/^(\$|__proto__)/.test(name)),
        fc.jsonValue(),
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(anyTasks, (inputs) => {
        const plain: unknown[] = JSON.parse(JSON.stringify(inputs))
        const tasks = plain.map((input, index) => ({
          name: index === 0 ? 'tasks' : index === 1 ? 'in_order' : `task-${index}`,
          agent: 'a',
          input,
        }))
        const reading = readPlan({ $tasks: tasks }, plannerOf({ maxTasks: tasks.length, maxDepth: 1 }))
        if (!reading.ok) throw new Error(JSON.stringify(reading.problems))
        const run = playRun(reading.definition, reading.input, ({ created }) => ({ output: created.input }))
        expect(run.output?.outputs).toEqual({ results: plain })
      }),
      { numRuns: 50 },
    )
  })

  it('can do no more, cost no more and ask nobody else than its bounds permit, plans of its steps included', () => {
    let accepted = 0
    fc.assert(
      fc.property(anySteps, anyBounds, (steps, bounds) => {
        const reading = readPlan({ $plan: steps }, plannerOf(bounds, { items: [] }))
        if (!reading.ok) return
        accepted += 1
        const { nodes, planned } = reading.definition
        expect(planned?.budgetUsd).toBe(bounds.budgetUsd)
        let most = 0
        for (const node of Object.values(nodes)) {
          if (node.kind !== 'task') continue
          most += timesOf(nodes, node) * (1 + (node.plan?.maxTasks ?? 0))
          if (bounds.agents) expect(bounds.agents).toContain(node.agent)
          if (!node.plan) continue
          expect(node.plan.maxDepth).toBeGreaterThan(0)
          expect(node.plan.maxDepth).toBeLessThan(bounds.maxDepth)
          expect(node.plan.budgetUsd ?? Infinity).toBeLessThanOrEqual(bounds.budgetUsd ?? Infinity)
          if (bounds.agents)
            expect(bounds.agents).toEqual(expect.arrayContaining([...(node.plan.agents ?? ['none'])]))
        }
        expect(most).toBeLessThanOrEqual(bounds.maxTasks)
      }),
      { numRuns: 300 },
    )
    expect(accepted).toBeGreaterThan(10)
  })
})

function timesOf(nodes: WorkflowDefinition['nodes'], { parent }: { readonly parent?: string }): number {
  const around = parent === undefined ? undefined : nodes[parent]
  if (!around) return 1
  const own = around.kind === 'map' ? around.maxItems : around.kind === 'loop' ? around.maxTurns : 1
  return own * timesOf(nodes, around)
}

type Step = Record<string, unknown>

/** Steps of agents in loops, maps and branches, some of which may plan. */
const anySteps = fc.gen().map((gen) => {
  let count = 0
  const number = (min: number, max: number) => gen(fc.integer, { min, max })
  const agent = () => gen(fc.constantFrom<string[]>, 'a', 'b')
  const body = (depth: number): Step[] =>
    Array.from({ length: number(1, 2) }, (): Step => {
      const name = `s${(count += 1)}`
      const shape = depth === 0 ? 0 : number(0, 4)
      if (shape === 1) return { name, max_turns: number(1, 4), steps: body(depth - 1) }
      if (shape === 2)
        return { name, over: 'items', as: 'item', max_items: number(1, 9), steps: body(depth - 1) }
      if (shape === 3) return { name, branches: { left: body(depth - 1), right: body(depth - 1) } }
      if (number(0, 2) > 0) return { name, agent: agent() }
      const plan = gen(fc.record, {
        max_tasks: fc.integer({ min: 1, max: 9 }),
        max_depth: fc.integer({ min: 1, max: 5 }),
        ...(number(0, 1) ? { budget_usd: fc.integer({ min: 0, max: 9 }) } : {}),
        ...(number(0, 1) ? { agents: fc.subarray(['a', 'b'], { minLength: 1 }) } : {}),
      })
      return { name, agent: agent(), plan }
    })
  return body(2)
})
