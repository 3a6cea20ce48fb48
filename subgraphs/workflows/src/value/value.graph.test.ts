import { testActor } from '@tutti/prisma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const DECLARE = `mutation ($input: DeclareValueInput!) { declareValue(input: $input) {
  run { value { valueUsd costUsd netUsd note declaredBy } } } }`
const READ = 'query ($id: ID!) { run(id: $id) { value { valueUsd netUsd note } } }'

test('a run’s value is declared against its cost, said again, and seen by its organization alone', async () => {
  const actor = await engine.organization('alpha')
  await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null, costUsd: 0.25 }))
  const runId = await engine.start(actor, 'format: tutti/1\nname: one\nsteps: [{ name: work, agent: alpha }]')
  await engine.event(actor, /^run\.completed$/)
  expect(await engine.ask(actor, READ, { id: runId })).toEqual({ run: { value: null } })
  const declare = (input: object, by = actor) => engine.ask(by, DECLARE, { input: { runId, ...input } })
  expect(await declare({ valueUsd: 10, note: 'a sale' })).toMatchObject({
    declareValue: {
      run: { value: { valueUsd: 10, costUsd: 0.25, netUsd: 9.75, note: 'a sale', declaredBy: actor.name } },
    },
  })
  await declare({ valueUsd: -1.5 })
  expect(await engine.ask(actor, READ, { id: runId })).toEqual({
    run: { value: { valueUsd: -1.5, netUsd: -1.75, note: null } },
  })
  expect((await engine.event(actor, /^run\.value_declared$/)).data).toMatchObject({ runId, valueUsd: 10 })
  await expect(declare({ valueUsd: 0.0000001 })).rejects.toThrow('BAD_INPUT')
  await expect(declare({ valueUsd: 1 }, testActor('admin'))).rejects.toThrow('NOT_FOUND')
})
