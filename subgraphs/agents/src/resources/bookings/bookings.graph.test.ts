import { type TestDatabase, testActor } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerAgent } from '../../agents/register-agent.ts'
import { type AgentsWorld, openAgents } from '../../testing/open-agents.ts'
import { deleteOldBookings } from './delete-old-bookings.ts'
import { settleDueResources } from './settle-due-resources.ts'

let opened: AgentsWorld
let world: TestDatabase
let admin: Actor
beforeAll(async () => {
  opened = await openAgents()
  world = opened.world
})
beforeEach(async () => {
  admin = await world.organization('admin')
})
afterAll(() => opened[Symbol.asyncDispose]())

const ask = (query: string, variables: Record<string, unknown> = {}, actor = admin) =>
  opened.ask(actor, query, variables)
const BOOKING =
  'booking { id status amount fence queuePlace from until holder { kind id } resource { name } }'
const call = (field: string, input: object, selection = BOOKING, actor = admin) =>
  ask(
    `mutation ($input: ${field[0]?.toUpperCase()}${field.slice(1)}Input!) { ${field}(input: $input) { ${selection} } }`,
    { input },
    actor,
  )
const acquire = async (input: object = {}, actor = admin) =>
  (await call('acquireResource', { resource: 'seats', ...input }, `created ${BOOKING}`, actor)).data
    .acquireResource
const seats = (capacity: number) =>
  call('setSharedResource', { name: 'seats', capacity }, 'resource { id capacity }')
const events = async () =>
  (
    await world.database.readTenant<{ type: string }>(
      admin,
      `select type from log.event where organization_id = $1 and type like 'resource.%' order by seq`,
      [admin.organizationId],
    )
  ).map(({ type }) => type.slice('resource.'.length))
/** As if everything had begun so much earlier. */
const pass = (seconds: number) =>
  world.database.transact(admin, async (client) => {
    const by = `interval '${seconds} seconds'`
    await client.query(
      `update resource_booking set starts_at = starts_at - ${by}, ends_at = ends_at - ${by}, waits_until = waits_until - ${by}`,
    )
    await client.query(`update shared_resource set due_at = due_at - ${by}`)
  })
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

test('a resource is held by lease, waited for in line, renewed, given back, and the next has it', async () => {
  await seats(2)
  const first = await acquire({ amount: 2, leaseSeconds: 30 })
  expect(first).toMatchObject({
    created: true,
    booking: {
      status: 'HELD',
      fence: 1,
      holder: { kind: 'ACTOR', id: admin.id },
      resource: { name: 'seats' },
    },
  })
  const second = await acquire({})
  const third = await acquire({ priority: 3 })
  expect([second.booking.status, third.booking.status]).toEqual(['QUEUED', 'QUEUED'])
  const { data } = await ask(
    `{ sharedResources { nodes { id name capacity held contendedSince holders { id } queue { id queuePlace priority } upcoming { id } } } }`,
  )
  expect(data.sharedResources.nodes).toEqual([
    {
      id: expect.any(String),
      name: 'seats',
      capacity: 2,
      held: 2,
      contendedSince: expect.any(String),
      holders: [{ id: first.booking.id }],
      queue: [
        { id: third.booking.id, queuePlace: 1, priority: 3 },
        { id: second.booking.id, queuePlace: 2, priority: 0 },
      ],
      upcoming: [],
    },
  ])
  const one = 'query ($id: ID!) { sharedResource(id: $id) { id name held queue { id } } }'
  const { id } = data.sharedResources.nodes[0]
  expect((await ask(one, { id })).data.sharedResource).toEqual({
    id,
    name: 'seats',
    held: 2,
    queue: [{ id: third.booking.id }, { id: second.booking.id }],
  })
  const stranger = await world.organization('admin')
  expect((await ask(one, { id }, stranger)).data.sharedResource).toBeNull()
  const renewed = await call('renewResource', { id: first.booking.id, fence: 1, leaseSeconds: 3_600 })
  expect(Date.parse(renewed.data.renewResource.booking.until)).toBeGreaterThan(
    Date.parse(first.booking.until),
  )
  expect((await call('renewResource', { id: first.booking.id, fence: 7 })).codes).toEqual(['STALE_LEASE'])
  expect((await call('releaseResource', { id: first.booking.id, fence: 7 })).codes).toEqual(['STALE_LEASE'])
  const released = await call('releaseResource', { id: first.booking.id, fence: 1 })
  expect(released.data.releaseResource.booking.status).toBe('RELEASED')
  const after = await ask(
    '{ sharedResources { nodes { held contendedSince holders { id fence } queue { id } } } }',
  )
  expect(after.data.sharedResources.nodes).toEqual([
    {
      held: 2,
      contendedSince: null,
      holders: [
        { id: third.booking.id, fence: 2 },
        { id: second.booking.id, fence: 3 },
      ],
      queue: [],
    },
  ])
  expect(await events()).toEqual([
    'changed',
    'granted',
    'queued',
    'contended',
    'queued',
    'ended',
    'granted',
    'granted',
  ])
  // Again: it is over, and stays as it is.
  expect((await call('releaseResource', { id: first.booking.id })).data.releaseResource.booking.status).toBe(
    'RELEASED',
  )
  expect((await call('renewResource', { id: first.booking.id, fence: 1 })).codes).toEqual(['STALE_LEASE'])
})

test('a lease ends by itself, and the next in line hears of it', async () => {
  await seats(1)
  const lost = await acquire({ leaseSeconds: 10 })
  const next = await acquire({})
  await pass(11)
  const seen = await ask('query ($id: ID!) { resourceBooking(id: $id) { status endedAt } }', {
    id: lost.booking.id,
  })
  expect(seen.data.resourceBooking).toMatchObject({ status: 'EXPIRED', endedAt: expect.any(String) })
  expect((await call('renewResource', { id: lost.booking.id, fence: 1 })).codes).toEqual(['STALE_LEASE'])
  while ((await settleDueResources(world)) > 0);
  const granted = await ask('query ($id: ID!) { resourceBooking(id: $id) { status fence } }', {
    id: next.booking.id,
  })
  expect(granted.data.resourceBooking).toEqual({ status: 'HELD', fence: 2 })
  expect((await events()).slice(-2)).toEqual(['ended', 'granted'])
  // Contention is said once for as long as somebody waits, and again after nobody did.
  await acquire({})
  await acquire({})
  expect((await events()).filter((type) => type === 'contended')).toHaveLength(2)
})

test('who does not want to wait is told, and who waits too long is let go', async () => {
  await seats(1)
  await acquire({ leaseSeconds: 3_600 })
  expect((await call('acquireResource', { resource: 'seats', waitSeconds: 0 })).codes).toEqual(['CONFLICT'])
  const waiting = await acquire({ waitSeconds: 5 })
  await pass(6)
  while ((await settleDueResources(world)) > 0);
  const { data } = await ask(`query ($id: ID!) { resourceBooking(id: $id) { status fence endedAt } }`, {
    id: waiting.booking.id,
  })
  expect(data.resourceBooking).toMatchObject({ status: 'EXPIRED', fence: null, endedAt: expect.any(String) })
})

test('a window to come is booked within the capacity, held when it begins, and ends a lease that would reach into it', async () => {
  await seats(3)
  const window = { resource: 'seats', from: inMinutes(10), to: inMinutes(20), amount: 2 }
  const booked = (await call('bookResource', window)).data.bookResource
  expect(booked.booking).toMatchObject({ status: 'BOOKED', fence: null })
  // 2 and 2 are more than 3, unless one begins when the other ends.
  expect((await call('bookResource', { ...window, from: inMinutes(19), to: inMinutes(30) })).codes).toEqual([
    'CONFLICT',
  ])
  expect(
    (await call('bookResource', { ...window, from: inMinutes(21), to: inMinutes(30) })).data.bookResource
      .booking.status,
  ).toBe('BOOKED')
  const queued = (await call('bookResource', { ...window, queue: true })).data.bookResource
  expect(queued.booking).toMatchObject({ status: 'QUEUED', queuePlace: 1 })
  // A lease over the window waits; one before it is had, and renewed up to it and no further.
  const lease = await acquire({ amount: 3, leaseSeconds: 300 })
  expect(lease.booking.status).toBe('HELD')
  const { data } = await call('renewResource', { id: lease.booking.id, fence: 1, leaseSeconds: 3_600 })
  expect(data.renewResource.booking.until).toBe(window.from)
  await pass(601)
  while ((await settleDueResources(world)) > 0);
  const now = await ask(
    '{ sharedResources { nodes { held holders { id fence } upcoming { amount } queue { id } } } }',
  )
  expect(now.data.sharedResources.nodes).toEqual([
    { held: 2, holders: [{ id: booked.booking.id, fence: 2 }], upcoming: [{ amount: 2 }], queue: [] },
  ])
  expect((await call('renewResource', { id: booked.booking.id, fence: 2 })).codes).toEqual(['INVALID_STATE'])
})

test('a window that waits is booked when another is given up', async () => {
  await seats(1)
  const window = { resource: 'seats', from: inMinutes(10), to: inMinutes(20) }
  const first = (await call('bookResource', window)).data.bookResource.booking
  const second = (await call('bookResource', { ...window, queue: true })).data.bookResource.booking
  await call('releaseResource', { id: first.id })
  const { data } = await ask('query ($id: ID!) { resourceBooking(id: $id) { status } }', { id: second.id })
  expect(data.resourceBooking.status).toBe('BOOKED')
})

test('a key asks once', async () => {
  await seats(1)
  const first = await acquire({ idempotencyKey: 'k', leaseSeconds: 60 })
  const again = await acquire({ idempotencyKey: 'k', leaseSeconds: 60 })
  expect([again.created, again.booking.id]).toEqual([false, first.booking.id])
  const other = await call('acquireResource', { resource: 'seats', idempotencyKey: 'k', leaseSeconds: 61 })
  expect(other.codes).toEqual(['IDEMPOTENCY_KEY_REUSED'])
  const window = {
    resource: 'seats',
    from: inMinutes(10),
    to: inMinutes(20),
    queue: true,
    idempotencyKey: 'w',
  }
  const booked = (await call('bookResource', window, `created ${BOOKING}`)).data.bookResource
  await pass(2)
  const same = (await call('bookResource', window, `created ${BOOKING}`)).data.bookResource
  expect([same.created, same.booking.id]).toEqual([false, booked.booking.id])
})

test('an agent’s key holds for its own agent, and gives back nothing of others', async () => {
  const document = (name: string) => `
metadata: { name: ${name}, type: test.agent, version: 1.0.0 }
executor: { type: builtin, function: sentiment }
`
  const { agent } = await registerAgent(world, admin, { document: document('agent') })
  const { agent: other } = await registerAgent(world, admin, { document: document('other') })
  const key = testActor('agent', admin.organizationId)
  await seats(2)
  const own = await acquire({}, key)
  expect(own.booking.holder).toEqual({ kind: 'AGENT', id: agent.id })
  const foreign = await call('acquireResource', { resource: 'seats', agentId: other.id }, BOOKING, key)
  expect([foreign.codes, foreign.paths]).toEqual([['NOT_FOUND'], ['input.agentId']])
  const of = await acquire({ agentId: other.id })
  expect((await call('releaseResource', { id: of.booking.id }, BOOKING, key)).codes).toEqual(['NOT_FOUND'])
  expect((await call('releaseResource', { id: own.booking.id })).codes).toBeUndefined()
})

test('mistakes are told together, and a resource in use is neither made too small nor removed', async () => {
  const { data } = await seats(2)
  const wrong = await call('acquireResource', {
    resource: 'seats',
    amount: 0,
    priority: 10,
    leaseSeconds: 0,
    waitSeconds: -1,
  })
  expect(wrong.paths?.toSorted()).toEqual([
    'input.amount',
    'input.leaseSeconds',
    'input.priority',
    'input.waitSeconds',
  ])
  expect((await call('acquireResource', { resource: 'seats', amount: 3 })).codes).toEqual(['BAD_INPUT'])
  expect((await call('acquireResource', { resource: 'nothing' })).codes).toEqual(['NOT_FOUND'])
  const past = { resource: 'seats', from: inMinutes(-10), to: inMinutes(10) }
  expect((await call('bookResource', past)).paths).toEqual(['input.from'])
  expect((await call('bookResource', { ...past, to: inMinutes(-20) })).paths).toEqual(['input.to'])
  const { booking } = await acquire({ amount: 2 })
  expect((await seats(1)).codes).toEqual(['INVALID_STATE'])
  const { id } = data.setSharedResource.resource
  expect((await call('removeSharedResource', { id }, 'id')).codes).toEqual(['INVALID_STATE'])
  await call('releaseResource', { id: booking.id })
  expect((await call('removeSharedResource', { id }, 'id')).data).toEqual({ removeSharedResource: { id } })
})

test('more of a resource is given to who waits at once', async () => {
  await seats(1)
  await acquire({})
  const waiting = await acquire({})
  await seats(2)
  const { data } = await ask('{ sharedResources { nodes { held queue { id } } } }')
  expect(data.sharedResources.nodes).toEqual([{ held: 2, queue: [] }])
  const { id } = waiting.booking
  const bookings = await ask('query ($id: ID!) { resourceBooking(id: $id) { resource { id } } }', { id })
  const of = await ask(
    'query ($id: ID!) { resourceBookings(resourceId: $id, first: 1) { nodes { id } pageInfo { hasNextPage } } }',
    {
      id: bookings.data.resourceBooking.resource.id,
    },
  )
  expect(of.data.resourceBookings.pageInfo.hasNextPage).toBe(true)
})

test('what ended a month ago is taken away, and nothing younger', async () => {
  await seats(2)
  const [old, young] = [await acquire({}), await acquire({})]
  for (const { booking } of [old, young]) await call('releaseResource', { id: booking.id })
  expect(await deleteOldBookings(world)).toBe(0)
  await world.database.transact(admin, (client) =>
    client.query(`update resource_booking set ended_at = ended_at - interval '31 days' where id = $1`, [
      old.booking.id,
    ]),
  )
  expect(await deleteOldBookings(world)).toBe(1)
})
