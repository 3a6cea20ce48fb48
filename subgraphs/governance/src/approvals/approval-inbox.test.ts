import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openDesk, requestRefund } from '../testing/open-desk.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor
let operator: Actor
let ada: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  ;({ admin, operator, ada } = await openDesk(world))
})

const asked = (title: string, more: object = {}, by = operator) =>
  requestRefund(world, by, { title, ...more })
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000)

const PAGE = `query ($first: Int, $after: String) { approvalInbox(first: $first, after: $after) {
  nodes { title } pageInfo { hasNextPage endCursor } } }`
interface Page {
  nodes: { title: string }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}
async function page(by: Actor, after: string | null, first: number): Promise<Page> {
  const { data } = await world.ask(by, PAGE, { first, after })
  return JSON.parse(JSON.stringify(data['approvalInbox']))
}
const titles = async (by: Actor) => (await page(by, null, 100)).nodes.map(({ title }) => title)

test('the nearest deadline comes first, then the highest risk, then the oldest; page by page', async () => {
  await asked('low', { risk: 'low' })
  await asked('critical', { risk: 'critical' })
  await asked('tomorrow', { expiresAt: inHours(24) })
  await asked('critical too', { risk: 'critical' })
  await asked('in an hour', { risk: 'low', expiresAt: inHours(1) })
  const wanted = ['in an hour', 'tomorrow', 'critical', 'critical too', 'low']
  expect(await titles(ada)).toEqual(wanted)
  const seen: string[] = []
  for (let after: string | null = null, more = true; more;) {
    const { nodes, pageInfo } = await page(ada, after, 2)
    seen.push(...nodes.map(({ title }) => title))
    after = pageInfo.endCursor
    more = pageInfo.hasNextPage
  }
  expect(seen).toEqual(wanted)
})

test('it holds what its reader can decide, and nothing else', async () => {
  await asked('by ada', {}, ada)
  await asked('of ada', { authors: ['ada'] })
  await asked('the board’s', { stages: [{ roles: ['admin'] }, {}] })
  await asked('ada’s', { stages: [{ people: ['ada'] }] })
  const late = await asked('late', { expiresAt: inHours(1) })
  await world.database.inTenant(admin, (tx) =>
    tx.sql(
      `update approval set expires_at = now() - interval '1 second' where id = $1::uuid returning id`,
      late.id,
    ),
  )
  expect(await titles(ada)).toEqual(['ada’s'])
  expect(await titles(colleague(admin, 'approver', 'ben'))).toEqual(['by ada', 'of ada'])
  expect(await titles({ ...admin, kind: 'agent' })).toEqual([])
  expect((await world.ask(operator, PAGE)).code).toBe('FORBIDDEN')
})

test('the feed says what comes into an inbox and what leaves it', async () => {
  const opening = await asked('before')
  const ending = new AbortController()
  const query = `subscription ($after: String) { approvalInboxEvents(after: $after) {
    type waitsForYou approval { title status } } }`
  const events = world.subscribe({ query, variables: { after: '0'.repeat(13) }, actor: ada }, ending.signal)
  const next = async () => {
    const { data, errors } = JSON.parse(JSON.stringify((await events.next()).value))
    expect(errors).toBeUndefined()
    return data.approvalInboxEvents
  }
  expect(await next()).toMatchObject({
    type: 'approval.requested',
    waitsForYou: true,
    approval: { title: 'before' },
  })
  await asked('mine', {}, ada)
  expect(await next()).toMatchObject({ waitsForYou: false, approval: { title: 'mine' } })
  await world.ask(
    admin,
    'mutation ($id: ID!) { decideApproval(input: { id: $id, decision: REJECT }) { approval { id } } }',
    {
      id: opening.id,
    },
  )
  expect(await next()).toMatchObject({
    type: 'approval.decided',
    waitsForYou: false,
    approval: { title: 'before', status: 'REJECTED' },
  })
  ending.abort()
})
