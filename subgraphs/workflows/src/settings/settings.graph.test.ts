import { readFileSync } from 'node:fs'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workflows } from '../index.ts'
import { createEngineDefaults, engineDefaultsOf } from './engine-defaults.ts'

const log = createLog('test', 'silent')
const seed = (name: string): string => readFileSync(new URL(`fixtures/${name}.yaml`, import.meta.url), 'utf8')
let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let woken = 0

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const services = {
    database: world.database,
    tail,
    log,
    secret: world.secret,
    wake: () => void (woken += 1),
  }
  subgraph = bindSubgraph(workflows, services, log)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(actor: Actor, query: string, variables: Record<string, unknown> = {}) {
  return JSON.parse(JSON.stringify(await subgraph.execute({ query, variables, actor })))
}

const APPLY = `mutation($document: String!) { applySettings(input: {document: $document}) {
  changed applied { path effect } withoutEffect { path reason }
  settings { version values document appliedBy { id kind name } applied { path } withoutEffect { path } } } }`

async function apply(actor: Actor, document: string) {
  const { data, errors } = await ask(actor, APPLY, { document })
  expect(errors).toBeUndefined()
  return data.applySettings
}

const limitsOf = async (actor: Actor) => {
  const { data } = await ask(
    actor,
    '{ limits { nodes { name source scope counts maxRunning maxStarts perSeconds maxCostUsd } } }',
  )
  return data.limits.nodes
}

test('the seed’s settings are applied as they stand, and put limits in force', async () => {
  const actor = await world.organization()
  await ask(actor, '{ settings { version } }').then(({ data }) => expect(data.settings).toBeNull())
  const before = woken
  const first = await apply(actor, seed('orchestrator-config'))
  expect(first).toMatchObject({ changed: true, settings: { version: 1, appliedBy: { id: actor.id } } })
  expect(first.applied.map(({ path }: { path: string }) => path)).toContain(
    'orchestrator_config.performance.max_concurrent_workflows',
  )
  expect(woken).toBe(before + 1)
  const second = await apply(actor, seed('organization-orchestration'))
  expect(second.settings.version).toBe(2)
  // The part that the second document does not hold stays; the payload is about the document, the settings about all.
  expect(Object.keys(second.settings.values)).toEqual(['orchestrator_config', 'organization_orchestration'])
  expect(JSON.stringify(second.applied)).not.toContain('orchestrator_config')
  expect(JSON.stringify(second.settings.applied)).toContain('orchestrator_config')
  expect(second.withoutEffect[0]).toMatchObject({ path: 'organization_orchestration.organization_id' })
  const common = {
    source: 'SETTINGS',
    scope: 'ORGANIZATION',
    maxRunning: null,
    maxStarts: null,
    perSeconds: null,
    maxCostUsd: null,
  }
  expect(await limitsOf(actor)).toEqual(
    expect.arrayContaining([
      { ...common, name: 'max_concurrent_workflows', counts: 'RUNS', maxRunning: 1000 },
      { ...common, name: 'max_concurrent_agents', counts: 'TASKS', maxRunning: 10 },
      { ...common, name: 'daily_ai_budget_usd', counts: 'COST', maxCostUsd: 50 },
      { ...common, name: 'max_requests_per_hour', counts: 'TASKS', maxStarts: 1000, perSeconds: 3600 },
    ]),
  )
})

test('what is no longer said is no longer in force, and what is said already changes nothing', async () => {
  const actor = await world.organization()
  await apply(actor, 'resource_limits: {max_concurrent_agents: 3, max_requests_per_hour: 100}')
  expect(
    await apply(
      actor,
      '{"resource_limits": {"max_requests_per_hour": "100_requests", "max_concurrent_agents": 3}}',
    ),
  ).toMatchObject({
    changed: false,
    settings: { version: 1 },
  })
  await apply(actor, 'resource_limits: {max_concurrent_agents: 4}')
  expect(await limitsOf(actor)).toMatchObject([{ name: 'max_concurrent_agents', maxRunning: 4 }])
})

test('every version is kept, with its document, who applied it and when', async () => {
  const actor = await world.organization()
  const other = { ...testActor('admin', actor.organizationId), id: 'other', name: 'Other' }
  await apply(actor, 'performance: {max_concurrent_workflows: 1}')
  await apply(other, 'performance: {max_concurrent_workflows: 2}')
  const { data } = await ask(
    actor,
    `{ settingsVersions(first: 1) { nodes { version appliedBy { id name } appliedAt } pageInfo { hasNextPage } }
       one: settings(version: 1) { version document values appliedBy { id } } none: settings(version: 3) { version } }`,
  )
  expect(data.settingsVersions).toMatchObject({
    nodes: [{ version: 2, appliedBy: { id: 'other', name: 'Other' }, appliedAt: expect.any(String) }],
    pageInfo: { hasNextPage: true },
  })
  expect(data.one).toEqual({
    version: 1,
    document: 'performance: {max_concurrent_workflows: 1}',
    values: { orchestrator_config: { performance: { max_concurrent_workflows: 1 } } },
    appliedBy: { id: actor.id },
  })
  expect(data.none).toBeNull()
  const events = await world.database.readTenant<{ type: string; data: object }>(
    actor,
    `select type, data from log.event where organization_id = $1 order by seq`,
    [actor.organizationId],
  )
  expect(events).toEqual([
    { type: 'settings.applied', data: { version: 1, parts: ['orchestrator_config'] } },
    { type: 'settings.applied', data: { version: 2, parts: ['orchestrator_config'] } },
  ])
})

test('eight who apply at once get versions of their own, and the last one’s limits are in force', async () => {
  const actor = await world.organization()
  const applied = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      apply(actor, `performance: {max_concurrent_workflows: ${index + 1}}`),
    ),
  )
  expect(new Set(applied.map(({ settings }) => settings.version))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]))
  const last = applied.find(({ settings }) => settings.version === 8)
  expect(await limitsOf(actor)).toMatchObject([
    { maxRunning: last.settings.values.orchestrator_config.performance.max_concurrent_workflows },
  ])
})

test('a document with mistakes is refused whole: code, path, places, and the reason of a switch', async () => {
  const actor = await world.organization()
  const { errors } = await ask(actor, APPLY, {
    document: 'security: {audit_logging_enabled: false}\nperformance: {max_concurrent_workflows: 0}',
  })
  expect(errors).toMatchObject([
    {
      extensions: {
        code: 'INVALID_DOCUMENT',
        argument: 'input.document',
        problems: [
          { code: 'cannot_be_turned_off', line: 1, column: 35, path: 'security.audit_logging_enabled' },
          { code: 'out_of_range', line: 2, column: 41 },
        ],
      },
    },
  ])
  expect(await limitsOf(actor)).toEqual([])
})

test('1 MB of settings is read, and more is refused with the limit named', async () => {
  const actor = await world.organization()
  const agent = `{type: a, trigger: ${'t'.repeat(200)}}`
  const teams = Array.from({ length: 2_000 }, (_, index) => `  team_${index}: {agents: [${agent}, ${agent}]}`)
  const document = `agent_deployment:\n${teams.join('\n')}\n`
  expect(document.length).toBeGreaterThan(900_000)
  expect((await apply(actor, document)).changed).toBe(true)
  const { errors } = await ask(actor, APPLY, { document: `${document}# ${'x'.repeat(200_000)}` })
  expect(errors).toMatchObject([{ extensions: { problems: [{ code: 'text_too_large' }] } }])
})

test('only who may write settings applies them; who reads workflows reads them, of its own organization', async () => {
  const actor = await world.organization()
  await apply(actor, 'performance: {max_concurrent_workflows: 1}')
  for (const role of ['operator', 'approver', 'viewer', 'agent'] as const) {
    const { errors } = await ask(testActor(role, actor.organizationId), APPLY, { document: '{}' })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  }
  const read = (reader: Actor) => ask(reader, '{ settings { version } }').then(({ data }) => data.settings)
  expect(await read(testActor('viewer', actor.organizationId))).toEqual({ version: 1 })
  expect(await read(testActor('viewer'))).toBeNull()
})

test('the engine learns the timeouts for those who name none, within a second, or at once in this process', async () => {
  const actor = await world.organization()
  const ask = (memory: ReturnType<typeof createEngineDefaults>) =>
    world.database.transact(actor, (client) => memory.of(client, actor.organizationId))
  let now = 0
  const elsewhere = createEngineDefaults(() => now)
  const here = engineDefaultsOf(world.database)
  const nothing = { runTimeoutMs: null, attemptTimeoutMs: null }
  expect([await ask(here), await ask(elsewhere)]).toEqual([nothing, nothing])
  await apply(actor, seed('orchestrator-config'))
  const seeded = { runTimeoutMs: 1_800_000, attemptTimeoutMs: 60_000 }
  expect([await ask(here), await ask(elsewhere)]).toEqual([seeded, nothing])
  now = 1_000
  expect(await ask(elsewhere)).toEqual(seeded)
})
