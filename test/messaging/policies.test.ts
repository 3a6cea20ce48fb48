import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Caller, codesOf } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { BROADCAST, hire, post, SEND, SET_POLICY } from './post-office.ts'

let world: World
let org: Organization
const open: Caller[] = []
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await Promise.all(open.map((caller) => caller.close()))
  await world[Symbol.asyncDispose]()
})

async function employ(name: string, more?: Parameters<typeof hire>[3]) {
  const caller = await hire(world, org, name, more)
  open.push(caller)
  return caller
}

const setPolicy = async (input: object): Promise<string> => {
  const { setMessagePolicy } = await org
    .as('operator')
    .query<{ setMessagePolicy: { policy: { id: string } } }>(SET_POLICY, { input })
  return setMessagePolicy.policy.id
}
const removePolicy = (id: string) =>
  org
    .as('operator')
    .query('mutation($id: ID!) { removeMessagePolicy(input: { id: $id }) { policy { id name } } }', { id })
const sends = async (caller: Caller, to: object): Promise<string[]> =>
  codesOf(await caller.send(SEND, { input: { to, body: 'hello' } }))
const asks = async (caller: Caller, to: object): Promise<string[]> =>
  codesOf(
    await caller.send('mutation($input: SendRequestInput!) { sendRequest(input: $input) { created } }', {
      input: { to, body: 'hello' },
    }),
  )

test('a rule denies, one of a higher priority allows, and where they are taken away all may write', async () => {
  org = await world.organization()
  const [sales, legal] = [
    await employ('sales', { type: 'desk.sales', capabilities: ['sell'] }),
    await employ('legal', { type: 'desk.legal', capabilities: ['judge'] }),
  ]
  const to = { agent: 'legal' }
  expect(await sends(sales, to)).toEqual([])
  const deny = await setPolicy({
    name: 'no sales to legal',
    effect: 'DENY',
    from: { type: 'desk.sales' },
    to: { agentId: legal.agentId },
  })
  const ways = [() => sends(sales, to), () => asks(sales, to), () => sends(sales, { capability: 'judge' })]
  for (const way of ways) expect(await way()).toEqual(['FORBIDDEN'])
  expect(await sends(legal, { agent: 'sales' })).toEqual([])
  // A person is of no type.
  expect(await sends(org.as('operator'), to)).toEqual([])

  // Nothing was kept of it but that it was denied.
  expect(await post.receive(legal)).toHaveLength(2)
  const denials = await world.asOwner<{ data: object; actor: { name: string } }>(
    `select data, actor from log.event where organization_id = $1 and type = 'message.denied' order by seq`,
    [org.id],
  )
  expect(denials).toHaveLength(3)
  expect(denials[0]).toMatchObject({
    actor: { name: 'sales' },
    data: {
      fromAgentId: sales.agentId,
      toAgentId: legal.agentId,
      policyId: deny,
      policy: 'no sales to legal',
    },
  })

  const allow = { name: 'but they may', effect: 'ALLOW', from: { capability: 'sell' } }
  await setPolicy(allow)
  expect(await sends(sales, to)).toEqual(['FORBIDDEN'])
  const allowed = await setPolicy({ ...allow, priority: 10 })
  expect(await sends(sales, to)).toEqual([])
  await removePolicy(allowed)
  expect(await sends(sales, to)).toEqual(['FORBIDDEN'])
  await removePolicy(deny)
  expect(await sends(sales, to)).toEqual([])
})

test('a broadcast leaves out whom a rule denies, and says how many', async () => {
  org = await world.organization()
  const { createDomain } = await org
    .as('admin')
    .query<{ createDomain: { domain: { id: string } } }>(
      'mutation { createDomain(input: { name: "Vault" }) { domain { id } } }',
    )
  const domainId = createDomain.domain.id
  const { createTeam } = await org
    .as('admin')
    .query<{ createTeam: { team: { id: string } } }>(
      'mutation($id: ID!) { createTeam(input: { domainId: $id, name: "Keys" }) { team { id } } }',
      { id: domainId },
    )
  const inside = await employ('inside', { teamId: createTeam.team.id })
  const outside = await employ('outside')
  await employ('other')
  await setPolicy({ name: 'nobody into the vault', effect: 'DENY', to: { domainId } })
  await setPolicy({
    name: 'but from within',
    effect: 'ALLOW',
    priority: 1,
    from: { teamId: createTeam.team.id },
  })
  const broadcast = async (caller: Caller) =>
    (
      await caller.query<{ broadcastMessage: { sent: number; denied: number } }>(BROADCAST, {
        input: { body: 'all' },
      })
    ).broadcastMessage
  expect(await broadcast(outside)).toMatchObject({ sent: 1, denied: 1 })
  expect(await broadcast(inside)).toMatchObject({ sent: 2, denied: 0 })
  expect(await post.receive(inside)).toEqual([])
  const [event] = await world.asOwner(
    `select data from log.event where organization_id = $1 and type = 'message.broadcast' order by seq`,
    [org.id],
  )
  expect(event).toMatchObject({ data: { sent: 1, denied: 1, policies: ['nobody into the vault'] } })
})

test('rules are set by who may write agents, for what is there, and say every mistake', async () => {
  org = await world.organization()
  const input = { name: 'x', effect: 'DENY', to: { agentId: crypto.randomUUID() } }
  expect(codesOf(await org.as('operator').send(SET_POLICY, { input }))).toEqual(['NOT_FOUND'])
  expect(codesOf(await org.as('agent').send(SET_POLICY, { input }))).toEqual(['FORBIDDEN'])
  const wrong = { name: '', effect: 'DENY', priority: 5000, to: { type: 'a', capability: 'b' } }
  const { body } = await org.as('operator').send(SET_POLICY, { input: wrong })
  expect(body.errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_INPUT',
    problems: [{ path: 'input.name' }, { path: 'input.priority' }, { path: 'input.to' }],
  })
  await setPolicy({ name: 'kept', effect: 'ALLOW', from: { type: 'a' } })
  const { messagePolicies } = await org
    .as('viewer')
    .query<{ messagePolicies: { nodes: object[] } }>(
      '{ messagePolicies { nodes { name effect priority from { kind value } to { kind value } updatedBy { kind } } } }',
    )
  expect(messagePolicies.nodes).toEqual([
    {
      name: 'kept',
      effect: 'ALLOW',
      priority: 0,
      from: { kind: 'TYPE', value: 'a' },
      to: { kind: 'ANY', value: '' },
      updatedBy: { kind: 'person' },
    },
  ])
})
