import { describe, expect, it } from 'vitest'
import type { LoopNode } from '../../../definitions/index.ts'
import { playRun } from '../play-run.ts'
import type { RunInMemory } from '../run-in-memory.ts'
import { work, workflowOf } from '../workflow-of.ts'

const again = (more: Partial<LoopNode> = {}): LoopNode => ({
  id: 'again',
  kind: 'loop',
  entry: 'a',
  maxTurns: 3,
  onExhausted: 'done',
  indexAs: 'turn',
  ...more,
})
const turns = { param: 'turn', path: ['turn'] }
const loop = (more: Partial<LoopNode> = {}) =>
  workflowOf(
    [again(more), work('a', { parent: 'again', inputs: [turns] }), work('after', { inputs: [turns] })],
    [['again', 'after']],
  )
const pathsOf = (run: RunInMemory) => [...run.tasks.keys()]

describe('a loop', () => {
  it('counts its turns in the paths, and in a name that only its body sees', () => {
    const run = playRun(loop(), {}, ({ created }) => ({ output: created.input['turn'] }))
    expect(pathsOf(run)).toEqual(['again[0]/a', 'again[1]/a', 'again[2]/a', 'after'])
    expect(run.output?.outputs).toEqual({ a: 2, after: null })
  })

  it('ends when until holds after a turn, and sees what the turn brought', () => {
    const run = playRun(loop({ until: 'a > 0.5 && turn == 1' }), {}, () => ({ output: 0.7 }))
    expect(pathsOf(run)).toEqual(['again[0]/a', 'again[1]/a', 'after'])
  })

  it('does not begin a turn for which while does not hold, not even the first', () => {
    expect(pathsOf(playRun(loop({ while: 'turn < 1' }), {}, () => ({ output: 1 })))).toEqual([
      'again[0]/a',
      'after',
    ])
    expect(pathsOf(playRun(loop({ while: 'n > 1' }), { n: 1 }, () => ({ output: 1 })))).toEqual(['after'])
  })

  it('whose turns were not enough fails, or not, as it says', () => {
    const failed = playRun(loop({ until: 'a == 9', onExhausted: 'fail' }), {}, () => ({ output: 1 }))
    expect(failed.error).toMatchObject({ node: 'again', code: 'LOOP_EXHAUSTED' })
    expect(playRun(loop({ until: 'a == 9' }), {}, () => ({ output: 1 })).status).toBe('completed')
    // Without a condition, the turns are what was asked for.
    expect(playRun(loop({ onExhausted: 'fail' }), {}, () => ({ output: 1 })).status).toBe('completed')
    // Enough just in time.
    const last = playRun(loop({ while: 'turn < 3', onExhausted: 'fail' }), {}, () => ({ output: 1 }))
    expect(last.status).toBe('completed')
  })

  it('whose condition cannot be evaluated fails', () => {
    const run = playRun(loop({ until: 'a.b > 1' }), {}, () => ({ output: 1 }))
    expect(run.error).toMatchObject({ node: 'again', code: 'EXPRESSION_FAILED' })
  })

  it('takes its own failed edge when a step inside fails, which may have a fallback every turn', () => {
    const definition = workflowOf(
      [again(), work('a', { parent: 'again' }), work('mend', { parent: 'again' }), work('after')],
      [
        ['a', 'mend', 'failed'],
        ['again', 'after', 'failed'],
      ],
    )
    const mended = playRun(definition, {}, ({ created }) =>
      created.node === 'a' ? { error: 'NO' } : { output: created.path },
    )
    expect(pathsOf(mended)).toEqual([0, 1, 2].flatMap((turn) => [`again[${turn}]/a`, `again[${turn}]/mend`]))
    expect(mended.output).toMatchObject({ terminal: 'again', fallback: false })
    const failed = playRun(definition, {}, ({ created }) =>
      created.node === 'after' ? { output: 1 } : { error: 'NO' },
    )
    expect(failed.output).toMatchObject({ fallback: true, fallbackReason: { node: 'mend', code: 'NO' } })
  })

  it('may be in another, and begins anew in each turn', () => {
    const definition = workflowOf([
      again({ entry: 'inner', maxTurns: 2 }),
      again({ id: 'inner', parent: 'again', maxTurns: 2, indexAs: 'deep' }),
      work('a', { parent: 'inner', inputs: [turns, { param: 'deep', value: 'deep + turn' }] }),
    ])
    const run = playRun(definition, {}, ({ created }) => ({ output: created.input }))
    expect(pathsOf(run)).toEqual([
      'again[0]/inner[0]/a',
      'again[0]/inner[1]/a',
      'again[1]/inner[0]/a',
      'again[1]/inner[1]/a',
    ])
    expect(run.output?.outputs['a']).toEqual({ turn: 1, deep: 2 })
  })

  it('may hold a map, whose items see its turn, and be held by one', () => {
    const each = {
      kind: 'map',
      over: '[1, 2]',
      as: 'x',
      join: { mode: 'all' },
      onFailure: 'fail',
      maxItems: 9,
    } as const
    const definition = workflowOf([
      { ...each, id: 'outer', entry: 'again' },
      again({ parent: 'outer', entry: 'each', maxTurns: 2 }),
      { ...each, id: 'each', parent: 'again', entry: 'a', as: 'y' },
      work('a', { parent: 'each', inputs: [{ param: 'all', value: '[x, turn, y]' }] }),
    ])
    const run = playRun(definition, {}, ({ created }) => ({ output: created.input['all'] }))
    expect(run.tasks.get('outer[1]/again[1]/each[0]/a')?.output).toEqual([2, 1, 1])
    expect([...run.tasks.values()].filter(({ created }) => created.kind === 'agent')).toHaveLength(8)
  })

  it('of the engine’s own steps rests after many, and loses nothing', () => {
    const count = { name: 'n', value: 'n == null ? 1.0 : n + 1' }
    const definition = workflowOf([
      again({ maxTurns: 5_000, until: 'n == 4500' }),
      { id: 'a', kind: 'transform', parent: 'again', assign: [count] },
    ])
    const run = playRun(definition, {}, () => ({ output: null }))
    expect(run.output?.outputs['n']).toBe(4_500)
    const rests = pathsOf(run)
    expect(rests).toHaveLength(4)
    expect(rests[0]).toBe('again[999]~pause')
  })

  it('that rests in an item still gives what its last step came to', () => {
    const definition = workflowOf(
      [
        {
          id: 'each',
          kind: 'map',
          over: '[1]',
          as: 'x',
          entry: 'first',
          join: { mode: 'all' },
          onFailure: 'fail',
          output: 'all',
          maxItems: 9,
        },
        work('first', { parent: 'each' }),
        again({ parent: 'each', maxTurns: 1_500 }),
        { id: 'a', kind: 'condition', parent: 'again' },
      ],
      [['first', 'again']],
    )
    expect(playRun(definition, {}, () => ({ output: 'kept' })).output?.outputs['all']).toEqual(['kept'])
  })
})
