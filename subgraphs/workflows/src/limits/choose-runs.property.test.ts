import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseRuns, type QueuedRun, type RunLimit } from './choose-runs.ts'

const workflowId = fc.constantFrom('w1', 'w2')
const limits = fc.array(
  fc.oneof(
    fc.record({ of: fc.constant('organization' as const), most: fc.integer({ min: 1, max: 8 }) }),
    fc.record({
      of: fc.constantFrom('workflow' as const, 'key' as const),
      workflowId,
      most: fc.integer({ min: 1, max: 5 }),
    }),
  ),
  { maxLength: 5 },
)
const waiting = fc
  .array(
    fc.record({
      workflowId,
      limitKey: fc.option(fc.constantFrom('k1', 'k2')),
      depth: fc.constantFrom(0, 0, 1),
    }),
    { maxLength: 30 },
  )
  .map((runs) => runs.map((run, index): QueuedRun => ({ ...run, runId: `r${index}`, strandId: `s${index}` })))
const counts = fc.record({
  organization: fc.nat(9),
  workflows: fc
    .dictionary(workflowId, fc.nat(6), { noNullPrototype: true })
    .map((each) => new Map(Object.entries(each))),
  keys: fc
    .dictionary(fc.constantFrom('w1/k1', 'w2/k1', 'w2/k2'), fc.nat(6), { noNullPrototype: true })
    .map((each) => new Map(Object.entries(each))),
})

const concerns = (limit: RunLimit, run: QueuedRun): boolean => {
  if (limit.of === 'organization') return run.depth === 0
  return limit.workflowId === run.workflowId && (limit.of === 'workflow' || run.limitKey !== null)
}

test('no limit on runs is exceeded, and who is left waiting is so because of a full one', () => {
  fc.assert(
    fc.property(waiting, limits, counts, (runs, rules, before) => {
      const choice = chooseRuns(runs, rules, before)
      const begun = new Set(choice)
      const used = (limit: RunLimit, key: string | null): number => {
        const chosen = choice.filter(
          (run) => concerns(limit, run) && (limit.of !== 'key' || run.limitKey === key),
        )
        if (limit.of === 'organization') return before.organization + chosen.length
        const known =
          limit.of === 'workflow'
            ? before.workflows.get(limit.workflowId)
            : before.keys.get(`${limit.workflowId}/${key}`)
        return (known ?? 0) + chosen.length
      }
      for (const run of runs) {
        const concerned = rules.filter((limit) => concerns(limit, run))
        if (begun.has(run))
          for (const limit of concerned) expect(used(limit, run.limitKey)).toBeLessThanOrEqual(limit.most)
        else {
          const reasons = concerned.filter((limit) => used(limit, run.limitKey) >= limit.most)
          expect(reasons).not.toEqual([])
        }
      }
      expect(choice).toEqual(runs.filter((run) => begun.has(run)))
    }),
    { numRuns: 1_000 },
  )
})
