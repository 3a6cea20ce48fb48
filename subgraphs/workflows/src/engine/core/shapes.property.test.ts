import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { isTaskOver } from './index.ts'
import { definitionOf, RANDOM_INPUT, randomBodies } from './random-definition.ts'
import { simulateRun } from './simulate-run.ts'
import type { SimulatedRun, World } from './simulate-run.ts'

const SEGMENT = /([^/[\]]+)\[([^\]]+)\]\//g

/** Plays many definitions of nested shapes; what the store in memory could not apply is an exception already. */
function always(
  world: World,
  numRuns: number,
  check: (played: SimulatedRun, of: WorkflowDefinition) => void,
): void {
  fc.assert(
    fc.property(randomBodies, fc.integer(), (body, seed) => {
      const definition = definitionOf(body)
      check(simulateRun(definition, RANDOM_INPUT, seed, world), definition)
    }),
    { numRuns },
  )
}

describe('a run of any shape', () => {
  it('ends, each path once, each join once, with nothing left open', () => {
    const seen = new Map<string, number>()
    const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
    always({}, 500, ({ run, refused }) => {
      note(run.status)
      if (refused > 0) note('refused')
      for (const { created, status, completions } of run.tasks.values()) {
        note(`${created.kind} ${status}`)
        expect(isTaskOver(status)).toBe(true)
        expect(completions).toBe(status === 'completed' ? 1 : 0)
      }
      const starts = run.transitions.filter(({ type }) => type === 'start_strands').length
      const arrivals = run.transitions.filter(({ type }) => type === 'arrive').length
      const children = run.transitions.flatMap((one) => (one.type === 'start_strands' ? one.strands : []))
      expect(arrivals).toBeLessThanOrEqual(children.length)
      if (starts > 0) note('spread')
      if (arrivals < children.length) note('joined early')
      for (const one of run.transitions) if (one.type === 'arrive' && !one.arrival.ok) note('arrived badly')
    })
    // Everything was met often, or the property says little.
    for (const what of [
      'completed',
      'failed',
      'refused',
      'spread',
      'joined early',
      'arrived badly',
      'map completed',
      'map failed',
      'parallel completed',
      'parallel failed',
      'agent cancelled',
      'review completed',
      'review failed',
      'wait completed',
      'wait failed',
      'workflow completed',
      'workflow failed',
      'message completed',
      'agent skipped',
    ])
      expect(seen.get(what) ?? 0, what).toBeGreaterThan(2)
  })

  it('ends when it is cancelled in the middle', () => {
    let cancelled = 0
    always({ cancels: true }, 200, ({ run }) => {
      if (run.status === 'cancelled') cancelled += 1
      expect([...run.tasks.values()].every(({ status }) => isTaskOver(status))).toBe(true)
    })
    expect(cancelled).toBeGreaterThan(20)
  })

  it('lets no name out of an item, and gives each item its own', () => {
    let looked = 0
    always({ failing: 0.03 }, 400, ({ run }, { nodes }) => {
      for (const { created } of run.tasks.values()) {
        if (created.kind !== 'agent' || created.path.endsWith('~undo')) continue
        const { at, index, turn, ...names } = created.input
        const around = [...created.path.matchAll(SEGMENT)].map(([whole, node = '', key]) => ({
          whole,
          node,
          key,
        }))
        const item = around.findLast(({ node }) => nodes[node]?.kind === 'map')
        const loop = around.findLast(({ node }) => nodes[node]?.kind === 'loop')
        expect(index).toBe(item ? Number(item.key) : null)
        expect(turn).toBe(loop ? Number(loop.key) : null)
        const map = item && nodes[item.node]
        const list = map?.kind === 'map' ? RANDOM_LISTS[map.over] : undefined
        expect(at).toEqual(item ? list?.[Number(item.key)] : null)
        for (const value of Object.values(names)) {
          if (!isResult(value)) continue
          looked += 1
          for (const [whole, node = ''] of value.at.matchAll(SEGMENT))
            if (nodes[node]?.kind === 'map') expect(created.path).toContain(whole)
        }
      }
    })
    expect(looked).toBeGreaterThan(1_000)
  })

  it('undoes exactly what was completed and can be undone, the newest first, and only when it fails', () => {
    let compensated = 0
    always({ failing: 0.25 }, 500, ({ run, undoable, undone }) => {
      if (run.status === 'completed') expect(undone).toEqual([])
      else expect(undone).toEqual(undoable.map((path) => `${path}~undo`))
      if (undone.length > 1) compensated += 1
    })
    expect(compensated).toBeGreaterThan(25)
  })

  it('is cancelled only once what was completed is undone, where that is wanted', () => {
    let takenBack = 0
    always({ cancels: true, failing: 0.1 }, 500, ({ run, undoable, undone }) => {
      const last = run.transitions.at(-1)
      if (last?.type !== 'cancel_run' || !last.reason?.startsWith('taken back')) return
      expect(run.status).toBe('cancelled')
      expect(undone).toEqual(undoable.map((path) => `${path}~undo`))
      if (undone.length > 0) takenBack += 1
    })
    expect(takenBack).toBeGreaterThan(10)
  })

  it('gives a map its results in the order of its items', () => {
    let maps = 0
    always({ failing: 0.03 }, 500, ({ run }, { nodes }) => {
      for (const { created, output, status } of run.tasks.values()) {
        const node = nodes[created.node]
        if (node?.kind !== 'map' || status !== 'completed' || !Array.isArray(output)) continue
        expect(output).toHaveLength(RANDOM_LISTS[node.over]?.length ?? 0)
        maps += 1
        for (const [at, value] of output.entries()) {
          if (isResult(value) && node.collect !== 'last')
            expect(value.at).toContain(`${created.path}[${at}]/`)
          if (node.collect === 'at' && value !== null && !isFailure(value))
            expect(value).toEqual(RANDOM_LISTS[node.over]?.[at])
        }
      }
    })
    expect(maps).toBeGreaterThan(50)
  })
})

const RANDOM_LISTS: Readonly<Record<string, readonly unknown[]>> = {
  none: RANDOM_INPUT.none,
  one: RANDOM_INPUT.one,
  four: RANDOM_INPUT.four,
  many: RANDOM_INPUT.many,
}

function isResult(value: unknown): value is { at: string } {
  return typeof value === 'object' && value !== null && 'at' in value && typeof value.at === 'string'
}

function isFailure(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value
}
