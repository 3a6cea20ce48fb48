import { type Actor, systemActor } from '@tutti/schema'
import type { ExecutionResult } from 'graphql'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { openEscalation } from './open-escalation.ts'

let world: World
let admin: Actor
let approver: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
  approver = colleague(admin, 'approver')
})

const open = (requestKey = 'k', more: object = {}) =>
  openEscalation(world, systemActor(admin.organizationId, 'worker'), {
    requestKey,
    title: 'No answer found',
    reason: 'Nothing in the knowledge base fits.',
    level: 'domain',
    context: { message: 'a cut pair: \ud83d' },
    ...more,
  })
const handle = (actor: Actor, field: string, inputType: string, input: object) =>
  world.ask(
    actor,
    `mutation ($input: ${inputType}!) { ${field}(input: $input) {
       escalation { status acknowledgedBy { id } resolvedBy { id } resolution context } } }`,
    { input },
  )
const acknowledge = (actor: Actor, id: string) =>
  handle(actor, 'acknowledgeEscalation', 'AcknowledgeEscalationInput', { id })
const resolve = (actor: Actor, id: string) =>
  handle(actor, 'resolveEscalation', 'ResolveEscalationInput', { id, resolution: 'Answered by phone.' })

test('somebody takes an escalation on and settles it', async () => {
  const { id } = await open()
  expect((await acknowledge(approver, id)).code).toBeNull()
  expect((await acknowledge(approver, id)).code).toBeNull()
  expect((await acknowledge(admin, id)).code).toBe('INVALID_STATE')
  const { data } = await resolve(approver, id)
  expect(data['resolveEscalation']?.['escalation']).toEqual({
    status: 'RESOLVED',
    acknowledgedBy: { id: approver.id },
    resolvedBy: { id: approver.id },
    resolution: 'Answered by phone.',
    context: { message: 'a cut pair: \u{FFFD}' },
  })
  expect((await resolve(approver, id)).code).toBe('INVALID_STATE')
  expect(
    (await world.events(admin)).map((event) => event.type).filter((type) => type !== 'audit.recorded'),
  ).toEqual(['escalation.opened', 'escalation.acknowledged', 'escalation.resolved'])
})

test.each(['viewer', 'agent'] as const)('a %s may not handle escalations', async (role) => {
  const { id } = await open()
  expect((await acknowledge(colleague(admin, role), id)).code).toBe('FORBIDDEN')
})

test('an escalation whose approval expired can be settled by hand', async () => {
  const approval = { title: 't', action: 'a', arguments: {}, reason: 'r' }
  const { id } = await open('k', { approval })
  expect((await resolve(approver, id)).code).toBe('INVALID_STATE')
  await world.database.inTenant(admin, (tx) =>
    tx.sql(`update approval set expires_at = now() - interval '1 second'`),
  )
  expect((await resolve(approver, id)).code).toBeNull()
})

test('the agent on whose behalf it was escalated cannot decide it', async () => {
  const agentId = '01990000-0000-7000-8000-00000000000a'
  const { approvalId } = await open('k', {
    agentId,
    approval: { title: 't', action: 'a', arguments: {}, reason: 'r' },
  })
  const bot = { ...approver, id: 'principal-of-bot', agentId }
  const { code } = await world.ask(
    bot,
    'mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }',
    { input: { id: approvalId, decision: 'APPROVE' } },
  )
  expect(code).toBe('SEPARATION_OF_DUTIES')
})

test('pages follow each other without gap or repeat', async () => {
  for (const key of ['a', 'b', 'c', 'd', 'e']) await open(key, { title: key })
  const titles: unknown[] = []
  let after: unknown = null
  do {
    const { data } = await world.ask(
      admin,
      `query ($after: String) { escalations(first: 2, after: $after, status: OPEN) {
         nodes { title } pageInfo { hasNextPage endCursor } } }`,
      { after },
    )
    const page = data['escalations'] as {
      nodes: { title: string }[]
      pageInfo: { hasNextPage: boolean; endCursor: string }
    }
    titles.push(...page.nodes.map((node) => node.title))
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after !== null)
  expect(titles).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('a subscriber hears of an escalation, with the escalation, and of no other organization', async () => {
  const other = await world.organization()
  await openEscalation(world, other, { requestKey: 'x', title: 'x', reason: 'x', level: 'agent' })
  const { id } = await open()
  const ending = new AbortController()
  const feed = world.subscribe(
    {
      query: `subscription { escalationEvents(after: "${'0'.repeat(13)}") { type escalation { id title } } }`,
      actor: admin,
    },
    ending.signal,
  ) as AsyncGenerator<ExecutionResult>
  const { value } = await feed.next()
  ending.abort()
  expect(value.data).toEqual({
    escalationEvents: { type: 'escalation.opened', escalation: { id, title: 'No answer found' } },
  })
})

test('who gives a cursor that is none is told so', async () => {
  const feed = world.subscribe(
    { query: 'subscription { escalationEvents(after: "yesterday") { type } }', actor: admin },
    AbortSignal.timeout(5_000),
  )
  const { value } = await feed.next()
  expect(value.errors[0].extensions.code).toBe('CURSOR_INVALID')
})
