import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterEvent, type DeploymentState, nextStep, notBegun, STAGES } from './deployment-steps.ts'

const at = '2026-11-21T00:00:00.000Z'

/** What becomes of each step: it is done, it fails for good, or its worker dies and it is begun again. */
const outcomes = fc.array(
  fc.constantFrom<'done' | 'fails' | 'dies'>('done', 'done', 'done', 'fails', 'dies'),
  {
    maxLength: 40,
  },
)

function play(given: readonly ('done' | 'fails' | 'dies')[]): { state: DeploymentState; acts: string[] } {
  const left = [...given]
  let state = notBegun()
  const acts: string[] = []
  for (let step = nextStep(state); step; step = nextStep(state)) {
    if ('end' in step) {
      acts.push(`end ${step.end}`)
      state = afterEvent(state, { type: 'ended' })
      continue
    }
    const outcome = left.shift() ?? 'done'
    if ('undo' in step) {
      const stage = step.undo
      if (outcome === 'done') acts.push(`undo ${stage}`)
      state = afterEvent(
        state,
        outcome === 'done' ? { type: 'undone', stage, at } : { type: 'undo_failed', stage },
      )
      continue
    }
    const stage = step.do
    state = afterEvent(state, { type: 'began', stage, at })
    if (outcome === 'dies') continue
    acts.push(`${outcome} ${stage}`)
    state = afterEvent(
      state,
      outcome === 'done'
        ? { type: 'done', stage, at, detail: {} }
        : { type: 'failed', stage, at, error: { code: 'INTERNAL', message: 'No.' } },
    )
  }
  return { state, acts }
}

test('every deployment ends: all stages done, or one failed and those before it undone in reverse', () => {
  fc.assert(
    fc.property(outcomes, (given) => {
      const { state, acts } = play(given)
      const failed = acts.findIndex((act) => act.startsWith('fails'))
      if (failed === -1) {
        expect(acts).toEqual([...STAGES.map((stage) => `done ${stage}`), 'end completed'])
        expect(state.stages.every(({ status }) => status === 'done')).toBe(true)
        return
      }
      const before = STAGES.slice(0, failed)
      expect(acts).toEqual([
        ...before.map((stage) => `done ${stage}`),
        `fails ${STAGES[failed]}`,
        ...before.toReversed().map((stage) => `undo ${stage}`),
        'end failed',
      ])
      expect(state.stages.map(({ status }) => status)).toEqual(
        STAGES.map((_, index) => (index < failed ? 'undone' : index === failed ? 'failed' : 'pending')),
      )
    }),
    { numRuns: 500 },
  )
})

test('what is not its next step is refused, whatever has happened', () => {
  fc.assert(
    fc.property(outcomes, fc.constantFrom(...STAGES), (given, stage) => {
      const { state } = play(given)
      for (const type of ['done', 'undone'] as const)
        expect(() => afterEvent(state, { type, stage, at, detail: {} })).toThrow('is not its next step')
      expect(() => afterEvent(state, { type: 'ended' })).toThrow('not at its end')
    }),
    { numRuns: 100 },
  )
})
