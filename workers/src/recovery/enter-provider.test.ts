import { agents } from '@tutti/agents'
import { openTail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog } from '@tutti/runtime'
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

test('an organization says after how many failures a provider is not called, and for how long', async () => {
  const actor = await world.organization('operator')
  const services = { database: world.database, log: createLog('test', 'silent') }
  const log = services.log
  await using tail = await openTail(world.database)
  const subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
  const ask = async (query: string, variables = {}) => {
    const { data, errors } = await subgraph.execute({ query, variables, actor })
    expect(errors).toBeUndefined()
    return JSON.parse(JSON.stringify(data))
  }
  const set = (input: object) =>
    ask(
      'mutation ($input: SetProviderBreakerInput!) { setProviderBreaker(input: $input) { breaker { failures openSeconds } } }',
      { input },
    )
  const inForce = async (provider: string) =>
    (
      await ask(
        'query ($provider: String) { providerBreaker(provider: $provider) { failures openSeconds windowSeconds } }',
        { provider },
      )
    ).providerBreaker
  await set({ breaker: { failures: 2, openSeconds: 400 } })
  await set({ provider: 'acme', breaker: { failures: 1, openSeconds: 600 } })
  expect(await inForce('acme')).toEqual({ failures: 1, openSeconds: 600, windowSeconds: 60 })
  expect(await inForce('other')).toEqual({ failures: 2, openSeconds: 400, windowSeconds: 60 })

  /** How many calls are made until it is open, and for how long it then is. */
  const untilOpen = async (provider: string, of = actor) => {
    for (let calls = 0; calls < 20; calls++) {
      const pass = await enterProvider(services, of.organizationId, provider).catch(
        (error: ModelError) => error,
      )
      if (pass instanceof ModelError) return { calls, ms: pass.retryAfterMs ?? 0 }
      await pass(() => Promise.reject(new ModelError('MODEL_UNAVAILABLE', 'status 503'))).catch(
        () => undefined,
      )
    }
    return expect.unreachable()
  }
  const acme = await untilOpen('acme')
  expect(acme.calls).toBe(1)
  // No other number would be open for longer than this.
  expect(acme.ms).toBeGreaterThan(400_000)
  expect((await untilOpen('other')).calls).toBe(2)
  // Somebody else's are as by default.
  expect((await untilOpen('acme', await world.organization('operator'))).calls).toBe(5)

  expect(await set({ provider: 'acme' })).toEqual({
    setProviderBreaker: { breaker: { failures: 2, openSeconds: 400 } },
  })
  // What else is said of the organization stays.
  await ask(
    'mutation { setReliability(input: { breaker: { failures: 7 } }) { reliability { breaker { failures } } } }',
  )
  expect((await inForce('acme')).failures).toBe(2)
  const events = await world.database.readTenant<{ data: unknown }>(
    actor,
    `select data from log.event where organization_id = $1 and type = 'reliability.changed' order by seq`,
    [actor.organizationId],
  )
  expect(events.map(({ data }) => data)).toEqual([
    { agentId: null, provider: '*' },
    { agentId: null, provider: 'acme' },
    { agentId: null, provider: 'acme' },
    { agentId: null },
  ])
  const { errors } = await subgraph.execute({
    query:
      'mutation { setProviderBreaker(input: { provider: "a b", breaker: { failures: 0, openSeconds: 0 } }) { breaker { failures } } }',
    actor,
  })
  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_INPUT',
    problems: [
      { path: 'input.provider' },
      { path: 'input.breaker.failures' },
      { path: 'input.breaker.openSeconds' },
    ],
  })
})
