import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, type Measurement, route, type RoutingRequest, UNMEASURED } from './route.ts'
import { DEFAULT_ROUTER_SETTINGS as DEFAULTS, type RouterSettings } from './router-settings.ts'

const NOW = 1_800_000_000_000
const REQUEST: RoutingRequest = {
  now: NOW,
  taskType: 'write',
  capabilities: [],
  inputTokens: 1_000,
  outputTokens: 1_000,
  budgetUsd: null,
  providers: null,
  priority: 'normal',
  tier: 'standard',
}
const model = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  id: `acme/${name}`,
  provider: 'acme',
  name,
  capabilities: ['text'],
  contextTokens: 100_000,
  maxOutputTokens: 10_000,
  requestsPerMinute: null,
  tokensPerMinute: null,
  quality: {},
  premium: false,
  status: 'active',
  builtIn: false,
  price: null,
  ...more,
})
const price = (usd: number) => ({
  validFrom: new Date(0),
  inputUsd: usd.toFixed(6),
  outputUsd: usd.toFixed(6),
  cachedUsd: usd.toFixed(6),
})
const measured = (more: Partial<Measurement>): Measurement => ({ ...UNMEASURED, ...more })

describe('the specification’s numbers', () => {
  test('0.4 quality, 0.25 speed, 0.25 cost, 0.1 reliability, each ratio capped at 1', () => {
    const one = model('one', { quality: { write: 0.6 }, price: price(10) })
    const { ranking, chosen, confidence } = route(
      REQUEST,
      [one],
      new Map([[one.id, measured({ calls: 8, failures: 5, latencyMs: 10_000 })]]),
      DEFAULTS,
    )
    // 0.6 of 0.75 asked; 5 s asked of 10 s; 0.01 USD asked of 0.02; (3 + 2) of (8 + 2).
    expect(ranking[0]?.points.quality).toBeCloseTo(0.4 * 0.8)
    expect(ranking[0]?.points.speed).toBeCloseTo(0.25 * 0.5)
    expect(ranking[0]?.points.cost).toBeCloseTo(0.25 * 0.5)
    expect(ranking[0]?.points.reliability).toBeCloseTo(0.1 * 0.5)
    expect(chosen).toBe('acme/one')
    expect(confidence).toBeCloseTo(0.62)
  })

  test('nothing better than asked for counts more, and what is free has all of its points', () => {
    const one = model('one', { quality: { default: 1 } })
    const { ranking } = route(
      REQUEST,
      [one],
      new Map([[one.id, measured({ calls: 9, latencyMs: 1 })]]),
      DEFAULTS,
    )
    expect(ranking[0]?.score).toBeCloseTo(1)
    expect(ranking[0]?.bonuses).toEqual([])
  })

  test('high priority gives 0.1 of the mean of quality and speed, enterprise 0.05 for premium, providers theirs', () => {
    const one = model('one', { quality: { write: 1 }, premium: true })
    const settings = { ...DEFAULTS, preferredProvider: 'acme' }
    const at = new Map([[one.id, measured({ calls: 1, latencyMs: 10_000 })]])
    const ask = (more: Partial<RoutingRequest>, by: RouterSettings = settings) =>
      route({ ...REQUEST, ...more }, [one], at, by).ranking[0]?.bonuses
    expect(ask({ priority: 'high', tier: 'enterprise' })).toEqual([
      { name: 'high_priority', points: expect.closeTo(0.075) },
      { name: 'premium', points: 0.05 },
      { name: 'preferred_provider', points: 0.05 },
    ])
    expect(ask({}, { ...DEFAULTS, fallbackProvider: 'acme' })).toEqual([
      { name: 'fallback_provider', points: 0.02 },
    ])
    const named = model('two')
    const premium = { ...DEFAULTS, premiumModels: ['two'] }
    expect(
      route({ ...REQUEST, tier: 'enterprise' }, [named], new Map(), premium).ranking[0]?.bonuses,
    ).toEqual([{ name: 'premium', points: 0.05 }])
  })

  test('what was judged weighs more the more of it there is', () => {
    const one = model('one', { quality: { write: 1 } })
    const quality = (judged: number) =>
      route(REQUEST, [one], new Map([[one.id, measured({ judged, quality: 0 })]]), DEFAULTS).ranking[0]
        ?.values.quality
    expect([quality(5), quality(45)]).toEqual([0.5, 0.1])
  })
})

test.each<
  [string, Partial<Candidate>, Partial<Measurement>, Partial<RoutingRequest>, Partial<RouterSettings>]
>([
  ['not_in_use', { status: 'known' }, {}, {}, {}],
  ['disabled', { status: 'disabled' }, {}, {}, {}],
  ['provider_not_allowed', {}, {}, { providers: ['other'] }, {}],
  ['provider_not_allowed', {}, {}, {}, { allowedProviders: ['other'] }],
  ['lacks_capability', {}, {}, { capabilities: ['text', 'vision'] }, {}],
  ['context_too_small', { contextTokens: 1_999 }, {}, {}, {}],
  ['context_too_small', { maxOutputTokens: 999 }, {}, {}, {}],
  ['over_budget', { price: price(10) }, {}, { budgetUsd: 0.0199 }, {}],
  ['rate_limited', {}, { outUntil: NOW + 1 }, {}, {}],
  ['requests_used_up', { requestsPerMinute: 3 }, { requestsInMinute: 3 }, {}, {}],
  ['tokens_used_up', { tokensPerMinute: 4_000 }, { tokensInMinute: 2_001 }, {}, {}],
  ['unhealthy', {}, { failuresOnEnd: 3, lastFailureAt: NOW - 29_999 }, {}, {}],
])('%s is a reason', (code, candidate, measurement, request, settings) => {
  const one = model('one', candidate)
  const routing = route({ ...REQUEST, ...request }, [one], new Map([[one.id, measured(measurement)]]), {
    ...DEFAULTS,
    ...settings,
  })
  expect(routing).toMatchObject({
    chosen: null,
    chain: [],
    confidence: 0,
    excluded: [{ reasons: [{ code }] }],
  })
})

test('at the very limit, and once the time is over, it is none', () => {
  const one = model('one', {
    contextTokens: 2_000,
    tokensPerMinute: 4_000,
    requestsPerMinute: 3,
    price: price(10),
  })
  const measurement = measured({
    requestsInMinute: 2,
    tokensInMinute: 2_000,
    outUntil: NOW,
    failuresOnEnd: 9,
    lastFailureAt: NOW - 30_000,
  })
  const routing = route({ ...REQUEST, budgetUsd: 0.02 }, [one], new Map([[one.id, measurement]]), DEFAULTS)
  expect(routing.chosen).toBe(one.id)
})

test('a 429 is the model’s, or by setting its provider’s', () => {
  const models = [model('one'), model('two'), model('else', { id: 'b/else', provider: 'b' })]
  const at = new Map([['acme/one', measured({ outUntil: NOW + 5 })]])
  expect(route(REQUEST, models, at, DEFAULTS).chain).toEqual(['acme/two', 'b/else'])
  expect(route(REQUEST, models, at, { ...DEFAULTS, rateLimitScope: 'provider' }).chain).toEqual(['b/else'])
})

const share = fc.double({ min: 0, max: 1, noNaN: true })
const tokens = fc.integer({ min: 0, max: 50_000 })
const request: fc.Arbitrary<RoutingRequest> = fc.record({
  now: fc.constant(NOW),
  taskType: fc.constantFrom('write', 'judge'),
  capabilities: fc.subarray(['text', 'vision']),
  inputTokens: tokens,
  outputTokens: tokens,
  budgetUsd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  providers: fc.option(fc.subarray(['a', 'b', 'c'])),
  priority: fc.constantFrom('normal', 'high'),
  tier: fc.constantFrom('standard', 'enterprise'),
})
const measurement: fc.Arbitrary<Measurement> = fc.record({
  calls: fc.integer({ min: 10, max: 20 }),
  failures: fc.integer({ min: 0, max: 10 }),
  failuresOnEnd: fc.integer({ min: 0, max: 5 }),
  lastFailureAt: fc.option(fc.integer({ min: NOW - 60_000, max: NOW })),
  latencyMs: fc.option(fc.integer({ min: 0, max: 60_000 })),
  judged: fc.integer({ min: 0, max: 20 }),
  quality: fc.option(share),
  requestsInMinute: fc.integer({ min: 0, max: 5 }),
  tokensInMinute: tokens,
  outUntil: fc.option(fc.integer({ min: NOW - 10, max: NOW + 10 })),
})
const candidate: fc.Arbitrary<Candidate> = fc
  .record({
    provider: fc.constantFrom('a', 'b', 'c'),
    name: fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5'),
    capabilities: fc.subarray(['text', 'vision'], { minLength: 1 }),
    contextTokens: fc.integer({ min: 10_000, max: 200_000 }),
    maxOutputTokens: fc.integer({ min: 10_000, max: 100_000 }),
    requestsPerMinute: fc.option(fc.integer({ min: 1, max: 10 })),
    tokensPerMinute: fc.option(fc.integer({ min: 10_000, max: 200_000 })),
    quality: fc.dictionary(fc.constantFrom('write', 'judge', 'default'), share),
    premium: fc.boolean(),
    status: fc.constantFrom('active', 'active', 'active', 'disabled', 'known'),
    usd: fc.option(fc.integer({ min: 0, max: 100 })),
  })
  .map(({ usd, ...rest }) => ({
    ...rest,
    id: `${rest.provider}/${rest.name}`,
    builtIn: false,
    price: usd === null ? null : price(usd),
  }))
const settings: fc.Arbitrary<RouterSettings> = fc
  .record({
    weights: fc.record({
      quality: fc.integer({ min: 1, max: 10 }),
      speed: fc.integer({ min: 0, max: 10 }),
      cost: fc.integer({ min: 0, max: 10 }),
      reliability: fc.integer({ min: 0, max: 10 }),
    }),
    preferredProvider: fc.option(fc.constantFrom('a', 'b')),
    fallbackProvider: fc.option(fc.constantFrom('b', 'c')),
    allowedProviders: fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 })),
    rateLimitScope: fc.constantFrom('model', 'provider'),
  })
  .map((some) => ({ ...DEFAULTS, ...some }))
const world = fc.record({
  request,
  candidates: fc.array(candidate, { maxLength: 12 }),
  measurements: fc
    .array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5'), measurement),
    )
    .map((all) => new Map(all.map(([provider, name, each]) => [`${provider}/${name}`, each]))),
  settings,
})

describe('whatever is asked', () => {
  test('what is excluded is never chosen; each candidate is in the chain or excluded, once', () => {
    fc.assert(
      fc.property(world, ({ request: asked, candidates, measurements, settings: by }) => {
        const { chosen, chain, excluded, ranking } = route(asked, candidates, measurements, by)
        const out = excluded.map(({ id }) => id)
        expect(chosen).toBe(chain[0] ?? null)
        expect(chain).toEqual(ranking.map(({ id }) => id))
        expect([...chain, ...out].sort()).toEqual([...new Set(candidates.map(({ id }) => id))].sort())
        for (const { score } of ranking) expect(score).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('the same is answered, in whatever order candidates come', () => {
    fc.assert(
      fc.property(world, ({ request: asked, candidates, measurements, settings: by }) => {
        const unique = [...new Map(candidates.map((each) => [each.id, each])).values()]
        const answer = route(asked, unique, measurements, by)
        expect(route(asked, unique, measurements, by)).toEqual(answer)
        expect(route(asked, unique.toReversed(), measurements, by)).toEqual(answer)
      }),
    )
  })

  test('weights count by their proportions alone', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(0.25, 0.5, 2, 64), (given, factor) => {
        const { request: asked, candidates, measurements, settings: by } = given
        const { quality, speed, cost, reliability } = by.weights
        const weights = {
          quality: quality * factor,
          speed: speed * factor,
          cost: cost * factor,
          reliability: reliability * factor,
        }
        expect(route(asked, candidates, measurements, { ...by, weights })).toEqual(
          route(asked, candidates, measurements, by),
        )
      }),
    )
  })

  test('a candidate that is better in nothing never changes who is chosen', () => {
    const worse = fc.record({
      usd: fc.integer({ min: 0, max: 10 }),
      latency: fc.integer({ min: 0, max: 10_000 }),
      failures: fc.integer({ min: 0, max: 3 }),
      quality: share,
    })
    fc.assert(
      fc.property(world, worse, fc.constantFrom('0', 'z'), (given, by, name) => {
        const unique = [...new Map(given.candidates.map((each) => [each.id, each])).values()]
        const before = route(given.request, unique, given.measurements, given.settings)
        const winner = unique.find(({ id }) => id === before.chosen)
        const values = before.ranking[0]?.values
        if (!winner || !values) return
        const calls = 20
        const good = Math.floor(values.reliability * (calls + 2)) - 2
        // Worse in one thing at least, equal or worse in all others; its name is before or behind all.
        const other: Candidate = {
          ...winner,
          id: `${winner.provider}/${name}`,
          name,
          requestsPerMinute: null,
          tokensPerMinute: null,
          quality: { [given.request.taskType]: values.quality * by.quality },
          price: price(Number(winner.price?.inputUsd ?? 0) + Math.max(1, by.usd)),
        }
        if (given.settings.premiumModels.length > 0) return
        if (winner.price && winner.price.inputUsd !== winner.price.outputUsd) return
        const at = new Map(given.measurements)
        at.set(
          other.id,
          measured({
            calls,
            failures: Math.min(calls, Math.max(0, calls - good) + by.failures),
            latencyMs: Math.ceil(values.speed * 1000) + 1 + by.latency,
          }),
        )
        const after = route(given.request, [...unique, other], at, given.settings)
        expect(after.chosen).toBe(before.chosen)
      }),
      { numRuns: 500 },
    )
  })
})
