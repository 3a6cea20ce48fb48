import fc from 'fast-check'
import { expect, test } from 'vitest'

import { composeTestGraph } from '../../testing/compose.ts'
import { testActor } from '../../testing/start-test-gateway.ts'
import { createTestWorld } from '../../testing/test-world.ts'
import { until } from '../../testing/until.ts'
import { createAdmission, isAdmitted } from '../authorization/admit.ts'
import { createExecutor } from '../graph/execute-operation.ts'
import { loadGraph } from '../graph/load-graph.ts'
import { prepareDocuments } from '../graph/prepare-operation.ts'
import { DEFAULT_LIMITS } from '../limits/check-limits.ts'
import { localSubgraph } from '../subgraph/local-subgraph.ts'
import { createHub } from './subscription-hub.ts'

const QUERY = 'subscription ($after: String) { taskEvents(after: $after) { kind } }'
const graph = loadGraph(composeTestGraph())

/** A hub over a world of its own, without sockets. */
function startHub() {
  const world = createTestWorld()
  const subgraphs = Object.entries(world.schemas).map(([name, schema]) =>
    localSubgraph({ name, schema, context: (actor) => ({ actor }) }),
  )
  const hub = createHub({
    graph,
    executor: createExecutor(graph, subgraphs),
    subgraphs,
    present: (error) => ({ message: String(error) }),
    compareCursors: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    outageMs: 1_000,
  })
  const documents = prepareDocuments(graph, DEFAULT_LIMITS)
  const admit = createAdmission({ anonymousIntrospection: false })
  return {
    world,
    hub,
    async join(after: string | null, organization: string) {
      const prepared = documents.prepare(QUERY)
      if (!('kind' in prepared)) throw new Error('not prepared')
      const admitted = await admit(prepared, testActor('viewer', 'eva', organization))
      if (!isAdmitted(admitted)) throw new Error('not admitted')
      const seen: string[] = []
      const leave = hub.join(
        admitted,
        { variables: after === null ? {} : { after } },
        {
          next: (message) => void seen.push(message.cursor ?? ''),
          fail: (errors) => void seen.push(`failed ${JSON.stringify(errors)}`),
          complete: () => void seen.push('completed'),
          pressure: () => 0,
        },
      )
      if (typeof leave !== 'function') throw new Error('refused')
      return { seen, leave }
    },
  }
}

type Step =
  | { do: 'emit'; count: number }
  | { do: 'resume'; back: number; organization: string }
  | { do: 'join'; organization: string }
  | { do: 'leave'; which: number }
  | { do: 'breathe' }

const organization = fc.constantFrom('1', '2')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('emit' as const), count: fc.integer({ min: 1, max: 300 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('resume' as const), back: fc.nat(400), organization }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), organization }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.constant({ do: 'breathe' as const }) },
)

const breathe = () => new Promise<void>((resolve) => setImmediate(resolve))

test('whoever resumes, joins and leaves in whatever order: each sees every event after its cursor once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const { world, hub, join } = startHub()
      const log: string[] = []
      let present: { organization: string; seen: string[]; leave(): void; expected: () => string[] }[] = []
      const left: { seen: string[]; within: string[] }[] = []
      for (const each of steps) {
        if (each.do === 'emit') {
          for (let i = 0; i < each.count; i++) log.push(world.emit().cursor)
        } else if (each.do === 'resume') {
          const from = Math.max(0, log.length - 1 - each.back)
          const after = log[from]
          if (after === undefined) continue
          present.push({
            ...(await join(after, each.organization)),
            organization: each.organization,
            expected: () => log.slice(from + 1),
          })
        } else if (each.do === 'join') {
          const joined = await join(null, each.organization)
          // Its upstream is open before the next event: from here on it misses nothing.
          for (let i = 0; i < 3; i++) await breathe()
          const from = log.length
          present.push({
            ...joined,
            organization: each.organization,
            expected: () => log.slice(Math.min(from, log.indexOf(joined.seen[0] ?? '') >>> 0)),
          })
        } else if (each.do === 'leave') {
          const member = present[each.which % Math.max(1, present.length)]
          if (member === undefined) continue
          member.leave()
          present = present.filter((other) => other !== member)
          left.push({ seen: [...member.seen], within: member.expected() })
        } else await breathe()
      }
      const last = world.emit().cursor
      log.push(last)
      await until('everybody has the last event', () =>
        present.every((member) => member.seen.at(-1) === last),
      )
      for (const member of present) expect(member.seen).toEqual(member.expected())
      for (const { seen, within } of left) expect(seen).toEqual(within.slice(0, seen.length))
      // What was apart has found together: one stream for each tenant that has members.
      expect(hub.counts().streams).toBe(new Set(present.map((member) => member.organization)).size)
      for (const member of present) member.leave()
      expect(hub.counts()).toMatchObject({ streams: 0, members: 0 })
      await until('no upstream', () => world.listeners === 0)
    }),
    { numRuns: 60 },
  )
})
