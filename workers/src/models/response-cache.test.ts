import { deleteExpiredResponses } from '@tutti/agents/domain'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryResponses } from './memory-responses.ts'
import { LIFETIME_MS, openResponseCache } from './response-cache.ts'
import { hasRedis, startRedis } from './testing/start-redis.ts'

const ANSWER = { text: '{"yes":true}', inputTokens: 100, outputTokens: 10, costUsd: '0.001000000000' }
const log = createLog('test', 'silent')

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
})
beforeEach(async () => {
  actor = await world.organization('operator')
})
afterAll(() => world[Symbol.asyncDispose]())

const rows = () =>
  world.database.readTenant<{ id: string; isDay: boolean }>(
    actor,
    `select id, expires_at between clock_timestamp() + interval '23 hours' and clock_timestamp() + interval '24 hours' as "isDay"
     from model_response where organization_id = $1::uuid`,
    [actor.organizationId],
  )
const entry = (reach: 'memory' | 'redis' | 'database', key = 'k') => ({
  key,
  modelId: 'm',
  agentId: null,
  reach,
})

test('an answer is kept in memory for five minutes, in the database for a day, and is promoted when it is found', async () => {
  let time = 0
  const open = () => openResponseCache({ database: world.database, log }, { now: () => time })
  await using cache = open()
  expect(await cache.find(actor, 'k', 'database')).toEqual({
    found: undefined,
    missed: ['memory', 'database'],
  })
  await cache.keep(actor, entry('database'), ANSWER)
  expect(await rows()).toEqual([{ id: 'k', isDay: true }])
  expect(await cache.find(actor, 'k', 'database')).toEqual({
    found: { level: 'memory', response: ANSWER },
    missed: [],
  })
  // Another process.
  await using other = open()
  expect(await other.find(actor, 'k', 'memory')).toEqual({ found: undefined, missed: ['memory'] })
  const first = await other.find(actor, 'k', 'database')
  expect(first).toEqual({ found: { level: 'database', response: ANSWER }, missed: ['memory'] })
  expect((await other.find(actor, 'k', 'database')).found?.level).toBe('memory')
  time += LIFETIME_MS.memory + 1
  expect((await other.find(actor, 'k', 'database')).found?.level).toBe('database')
})

test('what may only be in memory is nowhere else, and nothing is looked for beyond', async () => {
  await using cache = openResponseCache({ database: world.database, log })
  await cache.keep(actor, entry('memory'), ANSWER)
  expect(await rows()).toEqual([])
  expect((await cache.find(actor, 'k', 'memory')).found?.level).toBe('memory')
  expect(await cache.find(actor, 'k', 'off')).toEqual({ found: undefined, missed: [] })
})

test('two organizations never have one another’s answers, not under the very same key', async () => {
  await using cache = openResponseCache({ database: world.database, log })
  const stranger = await world.organization('operator')
  await cache.keep(actor, entry('database'), ANSWER)
  expect((await cache.find(stranger, 'k', 'database')).found).toBeUndefined()
  await cache.keep(stranger, entry('database'), { ...ANSWER, text: 'theirs' })
  expect((await cache.find(actor, 'k', 'database')).found?.response.text).toBe(ANSWER.text)
  await using other = openResponseCache({ database: world.database, log })
  expect((await other.find(actor, 'k', 'database')).found?.response.text).toBe(ANSWER.text)
  expect((await other.find(stranger, 'k', 'database')).found?.response.text).toBe('theirs')
})

test('what has expired is not given, and is taken away; what has not stays', async () => {
  await using cache = openResponseCache({ database: world.database, log })
  await cache.keep(actor, entry('database', 'old'), ANSWER)
  await cache.keep(actor, entry('database', 'new'), ANSWER)
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      `update model_response set expires_at = now() - interval '1 second' where id = 'old' returning id`,
    ),
  )
  await using other = openResponseCache({ database: world.database, log })
  expect((await other.find(actor, 'old', 'database')).found).toBeUndefined()
  while ((await deleteExpiredResponses(world)) > 0);
  expect((await rows()).map(({ id }) => id)).toEqual(['new'])
})

test('memory holds so much and no more; what was not asked for longest goes', () => {
  const memory = createMemoryResponses(30)
  const origin = { modelId: 'm', agentId: null }
  const answer = { response: { ...ANSWER, text: 'x'.repeat(9) }, origin }
  for (const key of ['a', 'b', 'c']) memory.set(key, answer, 1_000, 0)
  memory.get('a', 1)
  memory.set('d', answer, 1_000, 2)
  expect(['a', 'b', 'c', 'd'].filter((key) => memory.get(key, 3))).toEqual(['a', 'c', 'd'])
  memory.set('e', { response: { ...ANSWER, text: 'x'.repeat(31) }, origin }, 1_000, 4)
  expect(memory.get('e', 5)).toBeUndefined()
  expect(memory.get('a', 1_000)).toBeUndefined()
})

describe.runIf(hasRedis)('with Redis', () => {
  test('the middle level answers other processes for an hour, keeps nothing that may not leave memory, and may be lost', async () => {
    await using redis = await startRedis()
    const open = () => openResponseCache({ database: world.database, log }, { redisUrl: redis.url })
    await using cache = open()
    await cache.keep(actor, entry('redis', 'r'), ANSWER)
    await cache.keep(actor, entry('memory', 'm'), ANSWER)
    expect(await rows()).toEqual([])
    await using other = open()
    expect(await other.find(actor, 'm', 'database')).toEqual({
      found: undefined,
      missed: ['memory', 'redis', 'database'],
    })
    expect(await other.find(actor, 'r', 'database')).toEqual({
      found: { level: 'redis', response: ANSWER },
      missed: ['memory'],
    })
    expect((await other.find(actor, 'r', 'database')).found?.level).toBe('memory')
    const stranger = await world.organization('operator')
    expect((await other.find(stranger, 'r', 'redis')).found).toBeUndefined()
    await redis[Symbol.asyncDispose]()
    await cache.keep(actor, entry('database', 'd'), ANSWER)
    await using third = open()
    expect((await third.find(actor, 'd', 'database')).found?.level).toBe('database')
  })
})
