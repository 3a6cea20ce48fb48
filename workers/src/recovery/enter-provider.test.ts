import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ModelError } from '../builtins/model/index.ts'
import { enterProvider } from './enter-provider.ts'

let world: TestDatabase
beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a provider that fails five times is not called, until it may be tried and works', async () => {
  const actor = await world.organization()
  const services = { database: world.database, log: createLog('test', 'silent') }
  const enter = () => enterProvider(services, actor.organizationId, 'acme')
  const down = () => Promise.reject(new ModelError('MODEL_UNAVAILABLE', 'status 503'))
  const refused = () => Promise.reject(new ModelError('MODEL_REFUSED_REQUEST', 'status 400'))
  const call = async (how: () => Promise<unknown>) =>
    (await enter())(how).catch(({ code }: ModelError) => code)
  const asOfNow = (sql: string) =>
    world.database.inTenant(actor, (tx) =>
      tx.sql(`update breaker set ${sql} where organization_id = $1::uuid`, actor.organizationId),
    )

  for (let time = 0; time < 9; time++) expect(await call(refused)).toBe('MODEL_REFUSED_REQUEST')
  // Now and then one that fails, among others that work, is not broken.
  for (let time = 0; time < 9; time++) {
    expect(await call(down)).toBe('MODEL_UNAVAILABLE')
    expect(await call(async () => 'well')).toBe('well')
  }
  for (let time = 0; time < 5; time++) expect(await call(down)).toBe('MODEL_UNAVAILABLE')
  await expect(enter()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryAfterMs: expect.any(Number) })

  await asOfNow(`retry_at = now() - interval '1 second'`)
  // What this process knows is a second old at most.
  await expect
    .poll(
      () =>
        enter().then(
          () => 'passes',
          () => 'waits',
        ),
      { timeout: 5_000 },
    )
    .toBe('passes')
  // That was the trial, of which nothing is heard: nobody else passes meanwhile.
  await expect(enter()).rejects.toThrow('failed too often')
  await asOfNow(`retry_at = now() - interval '1 second'`)
  await expect.poll(() => call(async () => 'well').catch(() => 'waits'), { timeout: 5_000 }).toBe('well')
  expect(await call(async () => 'well')).toBe('well')
  const states = await world.database.readTenant<{ type: string }>(
    actor,
    `select type from log.event where organization_id = $1 and type like 'breaker.%' order by seq`,
    [actor.organizationId],
  )
  expect(states.map(({ type }) => type)).toEqual(['breaker.opened', 'breaker.half_opened', 'breaker.closed'])
})
