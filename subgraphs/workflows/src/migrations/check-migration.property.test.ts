import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { definitionOf, RANDOM_INPUT, randomBodies } from '../engine/core/random-definition.ts'
import { type MemoryStrand, RunInMemory } from '../engine/core/run-in-memory.ts'
import { simulateRun } from '../engine/core/simulate-run.ts'
import { checkMigration, type RunPosition } from './check-migration.ts'

afterEach(() => void vi.restoreAllMocks())

const namesOf = (state: object): string[] => Object.keys(state).filter((name) => !name.startsWith('$'))

function positionOf(run: RunInMemory): RunPosition {
  const strands = [...run.strands.values()]
  return {
    input: Object.keys(RANDOM_INPUT),
    strands: strands.map((strand) => ({
      id: strand.path,
      parentId: strand.parent?.path ?? null,
      compound: strand.compound ?? null,
      key: strand.key ?? null,
      names: namesOf(strand.state),
      task: taskOf(strand),
      entering: null,
    })),
    arrived: strands.flatMap(({ arrivals, task }) =>
      arrivals.flatMap((arrival) => {
        if (!arrival || !task) return []
        const names = arrival.ok ? namesOf(arrival.state ?? {}) : []
        return [{ taskId: task.created.path, ok: arrival.ok, names }]
      }),
    ),
  }
}

function taskOf({ task }: MemoryStrand) {
  if (!task) return null
  const { path, node, kind } = task.created
  return { id: path, node, kind, path }
}

/** Places that a random run comes to in a rough world, before a step of it is left out by hand or undone. */
function positionsOf(definition: WorkflowDefinition, seed: number): RunPosition[] {
  const positions: RunPosition[] = []
  let writes = 0
  const write = RunInMemory.prototype.write
  vi.spyOn(RunInMemory.prototype, 'write').mockImplementation(function (
    this: RunInMemory,
    ...args: Parameters<typeof write>
  ) {
    write.apply(this, args)
    const undoes = [...this.tasks.values()].some(
      ({ created, status }) => created.path.endsWith('~undo') || status === 'skipped',
    )
    writes += 1
    // Not every one of a map's hundreds.
    const isLooked = writes < 10 || (writes + seed) % 17 === 0
    if (isLooked && !undoes && this.undoAfter === undefined) positions.push(positionOf(this))
  })
  simulateRun(definition, RANDOM_INPUT, seed, { failing: 0.2 })
  vi.restoreAllMocks()
  return positions
}

test('wherever a run is, a version that says the same finds all that it relies on', () => {
  fc.assert(
    fc.property(randomBodies.map(definitionOf), fc.nat(), (definition, seed) => {
      // The same steps that read nothing: what they lack is no excuse for the version that reads.
      const silent = Object.entries(definition.nodes).map(([id, node]) =>
        'inputs' in node ? [id, { ...node, inputs: [] }] : [id, node],
      )
      const from: WorkflowDefinition = { ...definition, nodes: Object.fromEntries(silent) }
      for (const position of positionsOf(definition, seed))
        expect(checkMigration(from, definition, position)).toEqual([])
    }),
    { numRuns: 150, interruptAfterTimeLimit: 4_000 },
  )
})

test('a run is never moved to a version without a step that it is at', () => {
  fc.assert(
    fc.property(randomBodies.map(definitionOf), fc.nat(), fc.nat(), (definition, seed, which) => {
      const gone = definition.order[which % definition.order.length] ?? ''
      const { [gone]: _, ...nodes } = definition.nodes
      const without = { ...definition, nodes, order: definition.order.filter((id) => id !== gone) }
      for (const position of positionsOf(definition, seed)) {
        const isThere = position.strands.some(
          ({ task, compound }) => task?.node === gone || compound === gone,
        )
        const codes = checkMigration(definition, without, position).map(({ code }) => code)
        if (isThere) expect(codes).toContain('STEP_MISSING')
      }
    }),
    { numRuns: 100, interruptAfterTimeLimit: 4_000 },
  )
})
