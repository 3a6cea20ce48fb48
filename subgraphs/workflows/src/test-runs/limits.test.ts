import { expect, it } from 'vitest'
import { TEST_LIMITS, type TestLimits } from './budget.ts'
import { playTest } from './play-test.ts'
import { testSettings } from './test-settings.ts'
import { readTested } from './test-workflow.ts'

const LOOP = `
format: tutti/1
name: turning
steps:
  - name: again
    type: loop
    max_turns: 10000
    steps: [{ name: count, agent: worker, output: result }]
`

/** A run of 10,000 turns with a result of so many characters. */
const play = (size: number, limits: Partial<TestLimits>) =>
  playTest(
    readTested(LOOP, 'document'),
    testSettings.parse({ mocks: [{ agent: 'worker', output: 'x'.repeat(size) }] }),
    { subworkflows: () => undefined, limits: { cpuMs: Number.POSITIVE_INFINITY, ...limits } },
  )

it.each([
  ['transitions', 1, {}, 'TOO_MANY_TRANSITIONS'],
  ['trace', 100_000, {}, 'TRACE_TOO_LARGE'],
  ['computing', 1, { cpuMs: 0 }, 'TOO_MUCH_TIME'],
] as const)(
  'a test of too much %s is stopped, says so, and shows how far it came',
  async (_, size, limits, code) => {
    const result = await play(size, limits)
    expect(result.status).toBe('running')
    expect(result.problems.map((problem) => problem.code)).toEqual([code])
    expect(Buffer.byteLength(JSON.stringify(result.trace))).toBeLessThan(TEST_LIMITS.traceBytes + 10_000)
  },
)

it('a test lets others have their turns', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  await play(100_000, { traceBytes: Number.POSITIVE_INFINITY, transitions: 4_000 })
  clearInterval(timer)
  expect(turns).toBeGreaterThan(0)
})
