import { expect, test } from 'vitest'

import { composeTestGraph } from '../../testing/compose.ts'
import { startTestGateway, testActor } from '../../testing/start-test-gateway.ts'
import { until } from '../../testing/until.ts'
import { loadGraph } from '../graph/load-graph.ts'
import { prepareDocuments } from '../graph/prepare-operation.ts'
import { DEFAULT_LIMITS } from '../limits/check-limits.ts'
import { createAdmission } from './admit.ts'
import { createDenialRecorder, type Denial } from './record-denials.ts'

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
  expect(door.gateway.counts()).toMatchObject({ denials: 1, denialsDropped: 0 })
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

test('nobody can flood the trail: beyond some a second, denials are counted only', async () => {
  let now = 0
  let written = 0
  const recorder = createDenialRecorder({
    recordDenial: async () => void (written += 1),
    onFailed: () => undefined,
    perSecond: 3,
    now: () => now,
  })
  const prepared = prepareDocuments(loadGraph(composeTestGraph()), DEFAULT_LIMITS).prepare(FORBIDDEN)
  if (!('kind' in prepared)) throw new Error('refused')
  const admit = recorder.around(createAdmission({ anonymousIntrospection: true }))
  for (let i = 0; i < 10; i++) await admit(prepared, testActor('viewer'))
  await admit(prepared, testActor('viewer', 'somebody else'))
  expect([written, recorder.counts()]).toEqual([4, { denials: 11, denialsDropped: 7 }])
  now = 1_000
  await admit(prepared, testActor('viewer'))
  await recorder.settled()
  expect(written).toBe(5)
})
