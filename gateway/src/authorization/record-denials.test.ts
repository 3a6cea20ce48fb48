import { expect, test } from 'vitest'

import { composeTestGraph } from '../../testing/compose.ts'
import { startTestGateway, testActor } from '../../testing/start-test-gateway.ts'
import { until } from '../../testing/until.ts'
import { loadGraph } from '../graph/load-graph.ts'
import { prepareDocuments } from '../graph/prepare-operation.ts'
import { DEFAULT_LIMITS } from '../limits/check-limits.ts'
import { createAdmission } from './admit.ts'
import { createDenialRecorder, type Denial } from './record-denials.ts'
import { sumDenials } from './sum-denials.ts'

const FORBIDDEN = 'mutation { done: finishTask(id: "1") { id } }'

test('who is known and refused is written down, under the schema’s names', async () => {
  const written: [string, Denial][] = []
  await using door = await startTestGateway({
    recordDenial: async (actor, denial) => void written.push([actor.id, denial]),
  })
  const { status } = await door.post(FORBIDDEN, { key: 'tutti_viewer_eva' })
  expect(status).toBe(403)
  await until('it is written', () => written.length === 1)
  expect(written).toEqual([
    [
      'eva',
      {
        action: 'Mutation.finishTask',
        code: 'FORBIDDEN',
        reason: expect.stringMatching(/^finishTask needs /),
      },
    ],
  ])
  await door.post(FORBIDDEN)
  await door.post('{ task(id: "1") { id } }', { key: 'tutti_viewer_eva' })
  expect(door.gateway.counts()).toMatchObject({ denials: 1, denialsSummed: 0 })
})

test('nobody is told of a refusal that is not on record: where it cannot be written, the call fails for that', async () => {
  const release = Promise.withResolvers<void>()
  await using door = await startTestGateway({ recordDenial: () => release.promise })
  const answer = door.post(FORBIDDEN, { key: 'tutti_viewer' })
  await until('it is being written', () => door.gateway.counts().denials === 1)
  release.reject(new Error('no database'))
  expect((await answer).status).toBe(503)
  await until('it is logged', () => door.masked.length === 1)
})

test('nobody can flood the trail: beyond some a second, an entry says how many more there were', async () => {
  let now = 0
  const written: [string, Denial][] = []
  let broken = false
  const failures: unknown[] = []
  const recorder = createDenialRecorder({
    recordDenial: async (actor, denial) => {
      if (broken) throw new Error('no database')
      written.push([actor.id, denial])
    },
    onFailed: (error) => failures.push(error),
    perSecond: 3,
    now: () => now,
  })
  const prepared = prepareDocuments(loadGraph(composeTestGraph()), DEFAULT_LIMITS).prepare(FORBIDDEN)
  if (!('kind' in prepared)) throw new Error('refused')
  const admit = recorder.around(createAdmission({ anonymousIntrospection: true }))
  for (let i = 0; i < 10; i++) await admit(prepared, testActor('viewer'))
  await admit(prepared, testActor('viewer', 'somebody else'))
  expect(written).toHaveLength(4)
  expect(recorder.counts()).toEqual({ denials: 11, denialsSummed: 7, denialsPending: 7 })

  // Where the sum cannot be written it stays, with what comes after it, and the health shows it.
  broken = true
  await recorder.settled()
  expect([recorder.healthy(), failures.length, recorder.counts().denialsPending]).toEqual([false, 1, 7])
  await admit(prepared, testActor('viewer'))
  broken = false
  await recorder.settled()
  const refusals = [{ action: 'Mutation.finishTask', code: 'FORBIDDEN', count: 8 }]
  expect(written.slice(4)).toEqual([
    [
      'viewer',
      {
        action: 'Mutation.finishTask',
        code: 'FORBIDDEN',
        reason: '',
        sum: { since: expect.any(String), refusals },
      },
    ],
  ])
  expect([recorder.healthy(), recorder.counts().denialsPending]).toEqual([true, 0])

  now = 1_000
  await admit(prepared, testActor('viewer'))
  await recorder.settled()
  expect(written).toHaveLength(6)
})

test('sums are written by themselves after a while, and when the gateway stops', async () => {
  const summed: number[] = []
  const recordDenial = async (_: unknown, { sum }: Denial) => {
    for (const { count } of sum?.refusals ?? []) summed.push(count)
  }
  const sums = sumDenials({
    write: async (_, { refusals }) => void summed.push(...refusals.map(({ count }) => count)),
    onFailed: () => undefined,
    everyMs: 1,
    mostCallers: 2,
  })
  sums.add(testActor('viewer'), { action: 'a', code: 'b' })
  await until('it is written', () => summed.length === 1)
  for (const person of ['x', 'y'])
    expect(sums.add(testActor('viewer', person), { action: 'a', code: 'b' })).toBe(true)
  // Whom there is no room to count is told that it failed.
  expect(sums.add(testActor('viewer', 'z'), { action: 'a', code: 'b' })).toBe(false)
  for (let n = 0; n < 130; n += 1) sums.add(testActor('viewer', 'x'), { action: `a${n}`, code: 'b' })
  await sums.flush()
  expect(summed.reduce((all, each) => all + each, 0)).toBe(1 + 2 + 130)
  expect(summed.length).toBeLessThan(1 + 1 + 102)

  summed.length = 0
  const door = await startTestGateway({ recordDenial })
  await Promise.all(Array.from({ length: 9 }, () => door.post(FORBIDDEN, { key: 'tutti_viewer_eva' })))
  await door[Symbol.asyncDispose]()
  expect(summed.reduce((all, each) => all + each, 0)).toBe(door.gateway.counts().denialsSummed)
  expect(door.gateway.counts()).toMatchObject({ denials: 9, denialsPending: 0 })
})
