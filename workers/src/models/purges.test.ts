import { agents } from '@tutti/agents'
import { registerAgent } from '@tutti/agents/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startConsumer } from '../consumers/start-consumer.ts'
import { openResponseCache, type ResponseCache } from './response-cache.ts'
import { purgeRedis, startPurges } from './start-purges.ts'
import { hasRedis, startRedis } from './testing/start-redis.ts'

const ANSWER = { text: '{"yes":true}', inputTokens: 100, outputTokens: 10, costUsd: '0.001000000000' }
const PURGE = 'mutation ($input: PurgeResponseCacheInput!) { purgeResponseCache(input: $input) { deleted } }'
const PATIENCE = { timeout: 20_000 }
const log = createLog('test', 'silent')

const cleanup = new AsyncDisposableStack()
let world: TestDatabase
let tail: Tail
let actor: Actor
beforeAll(async () => {
  world = cleanup.use(await openTestDatabase())
  tail = cleanup.use(await openTail(world.database))
})
beforeEach(async () => {
  actor = await world.organization('operator')
})
afterAll(() => cleanup.disposeAsync())

async function purge(input: object, by = actor) {
  const subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
  const { data, errors } = await subgraph.execute({ query: PURGE, variables: { input }, actor: by })
  return {
    deleted: JSON.parse(JSON.stringify(data ?? null))?.purgeResponseCache?.deleted,
    code: errors?.[0]?.extensions['code'],
  }
}

/** A process with a cache of its own, which hears of what is purged. */
function process(redisUrl?: string) {
  const mine = new AsyncDisposableStack()
  const cache = mine.use(openResponseCache({ database: world.database, log }, { redisUrl }))
  mine.use(startPurges({ tail, log }, cache))
  return { cache, [Symbol.asyncDispose]: () => mine.disposeAsync() }
}

const keep = (cache: ResponseCache, key: string, modelId: string, agentId: string | null, of = actor) =>
  cache.keep(of, { key, modelId, agentId, reach: 'database' }, ANSWER)
const has = async (cache: ResponseCache, key: string, of = actor) =>
  (await cache.find(of, key, 'database')).found?.level
const agent = async (name: string) => {
  const document = `metadata: { name: ${name}, type: test.writer, version: 1.0.0 }\n`
  return (await registerAgent({ database: world.database }, actor, { document })).agent.id
}

test('what is purged is gone from the memory of all processes and from the database, and nothing else', async () => {
  const [writer, reader] = [await agent('writer'), await agent('reader')]
  const stranger = await world.organization('operator')
  await using one = process()
  await using two = process()
  await keep(one.cache, 'a', 'gpt', writer)
  await keep(one.cache, 'b', 'gpt', reader)
  await keep(one.cache, 'c', 'claude', writer)
  await keep(one.cache, 'd', 'claude', null)
  await keep(one.cache, 'a', 'gpt', null, stranger)
  const left = async (cache: ResponseCache) => {
    const found = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => [key, await has(cache, key)]))
    return found.flatMap(([key, level]) => (level === undefined ? [] : [key])).join('')
  }
  // The other has them in its memory from here on, too.
  expect(await left(two.cache)).toBe('abcd')
  expect(await purge({ modelId: 'gpt', agentId: writer })).toEqual({ deleted: 1 })
  for (const { cache } of [one, two]) await expect.poll(() => left(cache), PATIENCE).toBe('bcd')
  expect(await purge({ modelId: 'gpt' })).toEqual({ deleted: 1 })
  for (const { cache } of [one, two]) await expect.poll(() => left(cache), PATIENCE).toBe('cd')
  expect(await purge({ agentId: writer })).toEqual({ deleted: 1 })
  for (const { cache } of [one, two]) await expect.poll(() => left(cache), PATIENCE).toBe('d')
  expect(await purge({})).toEqual({ deleted: 1 })
  for (const { cache } of [one, two]) await expect.poll(() => left(cache), PATIENCE).toBe('')
  expect(await has(one.cache, 'a', stranger)).toBe('memory')
  const events = await world.database.readTenant<{ data: unknown }>(
    actor,
    `select data from log.event where organization_id = $1::uuid and type = 'cache.purged' order by seq`,
    [actor.organizationId],
  )
  expect(events.map(({ data }) => data)).toEqual([
    { modelId: 'gpt', agentId: writer, deleted: 1 },
    { modelId: 'gpt', agentId: null, deleted: 1 },
    { modelId: null, agentId: writer, deleted: 1 },
    { modelId: null, agentId: null, deleted: 1 },
  ])
})

test('an agent that there is not, or that is another’s, is not found, and nothing is forgotten', async () => {
  await using one = process()
  await keep(one.cache, 'a', 'gpt', null)
  const stranger = await world.organization('operator')
  expect(await purge({ agentId: 'nobody' })).toEqual({ code: 'NOT_FOUND' })
  expect(await purge({ agentId: await agent('mine') }, stranger)).toEqual({ code: 'NOT_FOUND' })
  expect(await has(one.cache, 'a')).toBe('memory')
})

describe.runIf(hasRedis)('with Redis', () => {
  test('it forgets too, and what was purged while nobody was there as soon as somebody is', async () => {
    await using redis = await startRedis()
    const stranger = await world.organization('operator')
    {
      await using one = process(redis.url)
      await keep(one.cache, 'a', 'gpt', null)
      await keep(one.cache, 'b', 'claude', null)
      await keep(one.cache, 'a', 'gpt', null, stranger)
    }
    expect(await purge({ modelId: 'gpt' })).toEqual({ deleted: 1 })
    await using cache = openResponseCache({ database: world.database, log }, { redisUrl: redis.url })
    await using _consumer = startConsumer({ database: world.database, tail }, purgeRedis(cache), log)
    const inRedis = async (key: string, of = actor) => {
      // A process that has nothing in its memory yet.
      await using fresh = openResponseCache({ database: world.database, log }, { redisUrl: redis.url })
      return (await fresh.find(of, key, 'redis')).found?.level
    }
    await expect.poll(() => inRedis('a'), PATIENCE).toBeUndefined()
    expect(await inRedis('b')).toBe('redis')
    expect(await inRedis('a', stranger)).toBe('redis')
  })
})
