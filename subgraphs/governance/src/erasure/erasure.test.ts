import { loadNames } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { identify } from '../access/identify.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const entry = {
  actionType: 'decision',
  domain: 'refunds',
  summary: 'Refunded Zaphod',
  details: { reasoning: 'He wept' },
  subject: 'order/1',
}
const append = (actor: Actor, more: object = {}) =>
  world.ask(
    actor,
    'mutation ($input: AppendAuditEntryInput!) { appendAuditEntry(input: $input) { entry { id } } }',
    { input: { ...entry, ...more } },
  )
const erase = async (subject: string, actor = admin) => {
  const { data, code, extensions } = await world.ask(
    actor,
    `mutation ($input: EraseSubjectInput!) { eraseSubject(input: $input) {
       erasure { id subject entries reason erasedBy { id } } } }`,
    { input: { subject, reason: 'they asked' } },
  )
  return { erasure: data['eraseSubject']?.['erasure'], code, problem: extensions['argument'] }
}
const entries = async (filter: string) =>
  (await world.ask(admin, `{ auditEntries(${filter}) { nodes { summary details erased outcome actorId } } }`))
    .data['auditEntries']?.['nodes']
const about = async (subject: string) =>
  (
    await world.ask(
      admin,
      `{ dataSubject(subject: "${subject}") { keptSince entries erasures { entries reason } } }`,
    )
  ).data['dataSubject']

/** A person with a key. */
async function person(name: string, roles = ['approver']): Promise<{ actor: Actor; secret: string }> {
  const { data } = await world.ask(
    admin,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
    { input: { principalName: name, roles } },
  )
  const secret = String(data['createApiKey']?.['secret'])
  const actor = await identify(world, { kind: 'api_key', secret })
  if (!actor) throw new Error(`The key of ${name} opens nothing.`)
  return { actor, secret }
}

test('an entry about a customer is found by its words and read, until the customer is forgotten; that shows, and again changes nothing', async () => {
  const agent = colleague(admin, 'agent')
  await append(agent, { dataSubject: 'customer/42' })
  await append(agent)
  expect(await entries('text: "zaphod"')).toHaveLength(2)
  expect(await about('customer/42')).toMatchObject({
    keptSince: expect.any(String),
    entries: 1,
    erasures: [],
  })
  const { erasure } = await erase('customer/42')
  expect(erasure).toMatchObject({
    subject: 'customer/42',
    entries: 1,
    reason: 'they asked',
    erasedBy: { id: admin.id },
  })
  expect(await entries('subject: "order/1"')).toEqual([
    expect.objectContaining({ summary: 'Refunded Zaphod', erased: false }),
    { summary: 'erased', details: {}, erased: true, outcome: null, actorId: agent.id },
  ])
  expect(await entries('text: "zaphod"')).toHaveLength(1)
  expect(await about('customer/42')).toEqual({
    keptSince: null,
    entries: 0,
    erasures: [{ entries: 1, reason: 'they asked' }],
  })
  expect((await erase('customer/42')).erasure).toEqual(erasure)
  expect((await world.events(admin, 'subject.erased')).map(({ data }) => data)).toEqual([
    { erasureId: Object(erasure)['id'], keyIds: [Object(erasure)['id']], entries: 1 },
  ])
  // What is written about them afterwards is under another key, and can be forgotten again.
  await append(agent, { dataSubject: 'customer/42' })
  expect(await about('customer/42')).toMatchObject({ entries: 1, erasures: [{}] })
  expect((await erase('customer/42')).erasure).not.toEqual(erasure)
  const { data } = await world.ask(
    admin,
    '{ erasures(first: 1) { nodes { subject } pageInfo { hasNextPage } } }',
  )
  expect(data['erasures']).toEqual({ nodes: [{ subject: 'customer/42' }], pageInfo: { hasNextPage: true } })
})

test('of a person nothing opens anything, and their name and what they wrote is nowhere', async () => {
  const { actor: ada, secret } = await person('Ada Lovelace')
  const id = ada.id
  const ask = (actor: Actor, query: string, input: object) => world.ask(actor, query, { input })
  await ask(
    admin,
    'mutation ($input: SetNotificationChannelInput!) { setNotificationChannel(input: $input) { channel { id } } }',
    { ownerKind: 'PERSON', owner: id, kind: 'EMAIL', address: 'lovelace@example.com' },
  )
  const asked = await ask(
    colleague(admin, 'operator'),
    'mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id } } }',
    {
      title: 'May we?',
      action: 'do',
      arguments: {},
      reason: 'we want to',
      stages: [{ people: [id] }],
      idempotencyKey: 'k',
    },
  )
  const approval = Object(asked.data['requestApproval'])['approval']['id']
  const decided = await ask(
    ada,
    'mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { status } } }',
    { id: approval, decision: 'APPROVE', comment: 'I, Lovelace, say yes' },
  )
  expect(decided.code).toBeNull()
  expect(await entries(`actor: "${id}", text: "lovelace"`)).not.toEqual([])

  const { erasure } = await erase(`person/${id}`)
  expect(Object(erasure)['entries']).toBeGreaterThan(1)
  // What they decided is the organization's.
  expect(await entries(`actor: "${id}", subject: "approval/${approval}"`)).toEqual([
    expect.objectContaining({
      summary: 'erased',
      erased: true,
      outcome: 'the action may be done as asked',
      details: {
        decision: 'approved',
        context: { digest: expect.stringMatching(/^[0-9a-f]{64}$/), round: 1 },
      },
    }),
  ])
  expect(await identify(world, { kind: 'api_key', secret })).toBeNull()
  expect(await entries('text: "lovelace"')).toEqual([])
  const { data } = await world.ask(
    admin,
    `{ approvals(first: 1) { nodes { status decidedBy { id name } decisions { comment decidedBy { name } } } } }`,
  )
  expect(data['approvals']?.['nodes']).toEqual([
    {
      status: 'APPROVED',
      decidedBy: { id, name: 'erased' },
      decisions: [{ comment: 'erased', decidedBy: { name: 'erased' } }],
    },
  ])
  const tables = await world.asOwner<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('public', 'log', 'log_partitions')`,
  )
  const found = await world.asOwner<{ name: string }>(
    tables
      .map(({ name }) => `select '${name}' as name from ${name} t where t::text ilike '%lovelace%'`)
      .join(' union all '),
  )
  expect(found).toEqual([])
  expect((await erase(`person/${id}`)).erasure).toEqual(erasure)
})

test('whoever is known by their tokens alone is forgotten too, and stays so when they come again', async () => {
  const comes = async (sub: string): Promise<Actor> => {
    const claims = { org: admin.organizationId, sub, name: `${sub} Lovelace`, roles: ['admin'] }
    return (await identify(world, { kind: 'jwt', claims })) ?? expect.unreachable()
  }
  const people = [await comes('idle'), await comes('busy')]
  await append(await comes('busy'))
  const names = () =>
    loadNames(
      { database: world.database, actor: admin },
      [...people, admin].map(({ id }) => id),
    )
  expect(await names()).toEqual(new Map(people.map(({ id }) => [id, `${id} Lovelace`])))
  for (const { id } of people) expect((await erase(`person/${id}`)).code).toBeNull()
  for (const { id } of people) expect((await comes(id)).name).toBe('erased')
  expect(await names()).toEqual(new Map(people.map(({ id }) => [id, 'erased'])))
  const events = await world.asOwner<{ actor: object }>(
    `select actor from log.event where organization_id = $1 and actor->>'id' = 'busy'`,
    [admin.organizationId],
  )
  expect(events).toContainEqual({ actor: { id: 'busy', kind: 'person' } })
})

test('a legal hold that fits an entry is in the way, and the last administrator; nobody unknown is forgotten, and nothing by halves', async () => {
  await append(colleague(admin, 'agent'), { dataSubject: 'customer/7' })
  const hold = async (filter: object) =>
    Object(
      (
        await world.ask(
          admin,
          'mutation ($input: SetLegalHoldInput!) { setLegalHold(input: $input) { hold { id } } }',
          { input: { reason: 'a suit', filter } },
        )
      ).data['setLegalHold'],
    )['hold']['id']
  await hold({ domain: 'elsewhere' })
  for (const filter of [
    { domain: 'refunds' },
    { subject: 'customer/7' },
    { subject: 'customer/7', domain: 'refunds' },
  ]) {
    const id = await hold(filter)
    expect(await erase('customer/7')).toEqual({
      erasure: undefined,
      code: 'CONFLICT',
      problem: 'input.subject',
    })
    expect(await about('customer/7')).toMatchObject({ entries: 1 })
    await world.ask(
      admin,
      `mutation { releaseLegalHold(input: { id: "${id}", reason: "over" }) { hold { id } } }`,
    )
  }
  await hold({ subject: 'customer/8' })
  expect((await erase('customer/7')).code).toBeNull()

  const { actor: last, secret } = await person('Last', ['admin'])
  await append(last)
  expect((await erase(`person/${last.id}`)).code).toBe('INVALID_STATE')
  expect(await identify(world, { kind: 'api_key', secret })).not.toBeNull()
  expect(await entries(`actor: "${last.id}"`)).toEqual([expect.objectContaining({ erased: false })])

  expect((await erase('customer/8')).code).toBe('NOT_FOUND')
  expect((await erase('person/nobody')).code).toBe('NOT_FOUND')
  expect((await erase('who?')).code).toBe('BAD_INPUT')
  expect((await erase('customer/7', colleague(admin, 'operator'))).code).toBe('FORBIDDEN')
  const stranger = await world.organization()
  await append(colleague(admin, 'agent'), { dataSubject: 'customer/9' })
  expect((await erase('customer/9', stranger)).code).toBe('NOT_FOUND')
})

test('nobody forgets themselves, nor whom they act for, nor who made their key; that they tried is on record', async () => {
  const { actor: ada } = await person('Ada', ['admin'])
  const { actor: ben } = await person('Ben', ['admin'])
  const refused = [
    ada,
    { ...ben, onBehalfOf: { id: ada.id, kind: 'person' } },
    { ...ben, credentialBy: [ada.id] },
  ]
  for (const by of refused)
    expect(await erase(`person/${ada.id}`, by)).toMatchObject({
      code: 'SEPARATION_OF_DUTIES',
      problem: 'input.subject',
    })
  expect(await world.denials(admin)).toEqual(refused.map(() => 'operation/Mutation.eraseSubject'))
  expect((await erase(`person/${ada.id.toUpperCase()}`, ada)).code).not.toBeNull()
  expect((await erase(`person/${ada.id}`, ben)).code).toBeNull()
})
