import { openDatabase } from '@tutti/prisma'
import { openTestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { authorize } from './authorize.ts'
import { decisionLogOf } from './decision-log.ts'
import { DEFAULT_MATRIX } from './default-matrix.ts'
import { setAuthority } from './set-authority.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const SET = `mutation ($input: SetAuthorityInput!) { setAuthority(input: $input) { matrix { version setBy entries { action } } } }`
const everything = { level: 'ENTERPRISE', action: '*', ruling: 'ALONE' }
const set = (entries: object[], more: object = {}) =>
  world.ask(admin, SET, { input: { entries, reason: 'we said so', ...more } })

const idOf = (data: Record<string, Record<string, unknown>>): string => {
  const policy = data['createPolicy']?.['policy'] as { id: string } | undefined
  return policy?.id ?? ''
}

/** A policy in force, written and approved by others than who asks. */
async function enforce(input: object): Promise<string> {
  const { data } = await world.ask(
    admin,
    'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { id } } }',
    { input: { name: 'p', kind: 'ACCESS', ...input } },
  )
  const id = idOf(data)
  await world.ask(admin, 'mutation ($id: ID!) { submitPolicy(input: { id: $id }) { policy { id } } }', { id })
  const { code } = await world.ask(
    colleague(admin, 'approver'),
    'mutation ($id: ID!) { reviewPolicy(input: { id: $id, version: 1, decision: APPROVE }) { policy { id } } }',
    { id },
  )
  expect(code).toBeNull()
  return id
}

test('the built-in matrix is version 0, and the first change is version 1 with what is different', async () => {
  const { data } = await world.ask(
    admin,
    '{ authorityMatrix { version setBy entries { level action ruling to } } }',
  )
  expect(data['authorityMatrix']).toMatchObject({ version: 0, setBy: null })
  expect(data['authorityMatrix']?.['entries']).toHaveLength(DEFAULT_MATRIX.length)

  const first = await set([everything, { level: 'AGENT', action: 'tool.*', ruling: 'INFORM', to: 'domain' }])
  expect(first.data['setAuthority']?.['matrix']).toMatchObject({ version: 1, setBy: 'admin' })
  await set([everything, { level: 'AGENT', action: 'tool.*', ruling: 'NEVER' }], { expectedVersion: 1 })
  expect((await set([everything], { expectedVersion: 1 })).code).toBe('CONFLICT')
  const [, changed] = await world.events(admin, 'authority.changed')
  expect(changed?.data).toMatchObject({
    version: 2,
    previous: 1,
    added: [{ action: 'tool.*', ruling: 'never' }],
    removed: [{ action: 'tool.*', ruling: 'inform', to: 'domain' }],
  })
  const older = await world.ask(admin, '{ authorityMatrix(version: 1) { version entries { ruling } } }')
  expect(older.data['authorityMatrix']).toEqual({
    version: 1,
    entries: [{ ruling: 'ALONE' }, { ruling: 'INFORM' }],
  })
  expect((await world.ask(admin, '{ authorityMatrix(version: 7) { version } }')).code).toBe('NOT_FOUND')
})

test('all mistakes of a matrix are told at once, and one that locks everybody out is refused', async () => {
  const { code, extensions } = await set([
    everything,
    { level: 'DOMAIN', role: 'admin', action: 'tool.call', ruling: 'ALONE' },
    { level: 'AGENT', action: 'world.rule', ruling: 'ASK', maxRisk: 'huge', needed: 0 },
  ])
  expect(code).toBe('BAD_INPUT')
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'input.entries.1.role',
    'input.entries.2.action',
    'input.entries.2.maxRisk',
    'input.entries.2.needed',
    'input.entries.2.to',
  ])
  expect((await set([{ level: 'AGENT', action: '*', ruling: 'ALONE' }])).code).toBe('BAD_INPUT')
})

test('authority and policies are joined: what either forbids is forbidden, what either asks is asked', async () => {
  const agent = colleague(admin, 'agent')
  await enforce({
    actions: ['money.*'],
    effect: 'REQUIRE_APPROVAL',
    condition: 'context.amount > 20',
    stages: [{ roles: ['approver'], needed: 2 }],
  })
  const spend = (amount: number, actor = agent) =>
    authorize(world, actor, { action: 'money.spend', context: { amount } })
  expect(await spend(10)).toMatchObject({
    ruling: 'allow',
    stages: [],
    authorityVersion: 0,
    policyVersions: [],
  })
  // Authority says yes up to 50, the policy asks from 20 on.
  expect(await spend(30)).toMatchObject({
    ruling: 'ask',
    stages: [{ needed: 2, roles: ['approver'], groups: [], people: [] }],
    policyVersions: [{ name: 'p', version: 1, effect: 'require_approval' }],
  })
  // Both ask: first whom the matrix names, then whom the policy does.
  expect((await spend(100)).stages.map(({ needed }) => needed)).toEqual([1, 2])
  expect((await spend(30, colleague(admin, 'viewer'))).ruling).toBe('deny')
  expect(await authorize(world, agent, { action: 'incident.handle' })).toMatchObject({
    ruling: 'allow',
    inform: 'domain',
  })
})

test('a change holds at once in this process, and in another within its second', async () => {
  await using own = await openTestDatabase()
  await using other = openDatabase({ url: own.url, secret: own.secret })
  const question = { action: 'tool.call' }
  const leader = await own.organization()
  const agent = colleague(leader, 'agent')
  const here = async () => (await authorize(own, agent, question)).ruling
  const there = async () => (await authorize({ database: other }, agent, question)).ruling
  expect([await here(), await there()]).toEqual(['allow', 'allow'])
  const entries = [{ level: 'enterprise', action: '*', ruling: 'alone' }]
  await setAuthority(own, leader, { entries, reason: 'we said so' })
  expect(await here()).toBe('deny')
  await expect.poll(there, { timeout: 30_000 }).toBe('deny')
})

test('a hot question asks the database nothing', async () => {
  const question = { action: 'tool.call' }
  await authorize(world, admin, question)
  let reads = 0
  const { database } = world
  const counted = {
    ...database,
    readTenant: (...of: Parameters<typeof database.readTenant>) => {
      reads += 1
      return database.readTenant(...of)
    },
  } as typeof database
  const began = performance.now()
  const authorizations = []
  for (let index = 0; index < 500; index++)
    authorizations.push(await authorize({ database: counted }, admin, question))
  // Four reads at first, one a second afterwards, however busy the machine is.
  const seconds = Math.ceil((performance.now() - began) / 1_000)
  expect(reads).toBeLessThanOrEqual(4 + seconds)
  expect(authorizations).toHaveLength(500)
})

test('whoMayDecide says it for each role of each level, and why', async () => {
  const { data } = await world.ask(
    admin,
    `{ whoMayDecide(action: "money.spend", context: { amount: 500 }) { level role ruling to reason entry { maxAmount } } }`,
  )
  expect(data['whoMayDecide']).toMatchObject([
    { level: 'AGENT', role: 'agent', ruling: 'ASK', to: 'domain', entry: { maxAmount: null } },
    { level: 'DOMAIN', role: 'operator', ruling: 'ALONE', entry: { maxAmount: 1_000 } },
    { level: 'DOMAIN', role: 'approver', ruling: 'ALONE' },
    { level: 'ENTERPRISE', role: 'admin', ruling: 'ALONE', reason: expect.stringContaining('money.spend') },
  ])
  expect((await world.ask(admin, '{ whoMayDecide(action: "world.rule") { role } }')).code).toBe('BAD_INPUT')
})

test('mayI answers for the caller, and leaves nothing behind', async () => {
  await enforce({ actions: ['tool.call'], effect: 'REDACT', redact: ['$.arguments.card'] })
  const query = `query ($arguments: JSON) {
    mayI(action: "tool.call", resource: { type: "tool", name: "refund" }, arguments: $arguments) {
      ruling redactions reasons policies { name effect } authorityVersion
    }
  }`
  const { data } = await world.ask(colleague(admin, 'agent'), query, { arguments: { card: '4711' } })
  expect(data['mayI']).toMatchObject({
    ruling: 'ALLOW',
    redactions: ['$.arguments.card'],
    policies: [{ name: 'p', effect: 'REDACT' }],
    authorityVersion: 0,
  })
  const { data: viewers } = await world.ask(
    colleague(admin, 'viewer'),
    '{ mayI(action: "tool.call") { ruling } }',
  )
  expect(viewers['mayI']).toEqual({ ruling: 'DENY' })
})

test('simulatePolicy replays past decisions with a draft in force, and shows what would be different', async () => {
  const agent = colleague(admin, 'agent')
  for (const amount of [5, 15, 30, 45])
    await authorize(world, agent, {
      action: 'money.spend',
      resource: { type: 'order', id: String(amount) },
      context: { amount },
    })
  await authorize(world, agent, { action: 'money.spend', arguments: { text: 'x'.repeat(20_000) } })
  const { data: made } = await world.ask(
    admin,
    `mutation { createPolicy(input: { name: "draft", kind: RESOURCES, actions: ["money.spend"], effect: DENY,
       condition: "context.amount != null && context.amount > 20", effectiveFrom: "2099-01-01T00:00:00Z" }) { policy { id } } }`,
  )
  const id = idOf(made)
  const simulate = async (version: number) =>
    world.ask(
      admin,
      `query ($input: SimulatePolicyInput!) { simulatePolicy(input: $input) {
         replayed skipped differing changes { from to count } examples { action resource from to reasons } } }`,
      { input: { policyId: id, version, last: 100 } },
    )
  const { data } = await simulate(1)
  expect(data['simulatePolicy']).toMatchObject({
    replayed: 4,
    skipped: 1,
    differing: 2,
    changes: [{ from: 'ALLOW', to: 'DENY', count: 2 }],
    examples: [
      { action: 'money.spend', resource: 'order/45', from: 'ALLOW', to: 'DENY' },
      { action: 'money.spend', resource: 'order/30', from: 'ALLOW', to: 'DENY' },
    ],
  })
  expect((await authorize(world, agent, { action: 'money.spend', context: { amount: 30 } })).ruling).toBe(
    'allow',
  )
  expect((await simulate(2)).code).toBe('NOT_FOUND')

  // By what is in force now, as if it had been then: a version that waits for its time changes nothing yet.
  const approver = colleague(admin, 'approver')
  for (const [version, more] of Object.entries({ 1: null, 2: 'effectiveFrom: "2099-01-01T00:00:00Z"' })) {
    const rules = `id: "${id}", actions: ["money.spend"], effect: ${more ? 'ALLOW' : 'DENY'}, ${more ?? ''}`
    await world.ask(
      admin,
      `mutation { updatePolicy(input: { ${rules} }) { policy { id } } submitPolicy(input: { id: "${id}" }) { policy { id } } }`,
    )
    const review = `reviewPolicy(input: { id: "${id}", version: ${Number(version) + 1}, decision: APPROVE }) { policy { id } }`
    expect((await world.ask(approver, `mutation { ${review} }`)).code).toBeNull()
  }
  expect((await simulate(2)).data['simulatePolicy']).toMatchObject({ replayed: 5, differing: 0 })
  expect((await simulate(3)).data['simulatePolicy']).toMatchObject({
    differing: 5,
    changes: [{ from: 'DENY', to: 'ALLOW', count: 5 }],
  })
  // Without the policy, which denies 5 of them, before somebody says that it is to hold no more.
  await world.ask(
    admin,
    `mutation { retirePolicy(input: { id: "${id}", reason: "idle" }) { policy { id } } }`,
  )
  expect((await simulate(4)).data['simulatePolicy']).toMatchObject({
    differing: 5,
    changes: [{ from: 'DENY', to: 'ALLOW', count: 5 }],
  })
})

test('what was redacted is not kept', async () => {
  await enforce({ actions: ['tool.call'], effect: 'REDACT', redact: ['$.arguments.card'] })
  await authorize(world, admin, { action: 'tool.call', arguments: { card: 'secret-4711', sum: 3 } })
  await decisionLogOf(world.database).flush()
  const rows = await world.database.readTenant<{ request: object }>(
    admin,
    `select request from policy_decision where organization_id = $1 and action = 'tool.call'`,
    [admin.organizationId],
  )
  expect(rows).toMatchObject([{ request: { context: { arguments: { card: '[redacted]', sum: 3 } } } }])
})
