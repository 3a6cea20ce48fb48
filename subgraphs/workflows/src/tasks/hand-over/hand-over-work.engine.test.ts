import { testActor } from '@tutti/prisma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { handOverWork, workOfAgent } from './hand-over-work.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const DOCUMENT = `
format: tutti/1
name: mail
steps:
  - {name: named, agent: alpha, output: one}
  - {name: able, capability: reading, output: two}
`
const WAITS = 'query ($id: ID!) { runState(id: $id) { waits { for name path } } }'

test('what an agent on its way out left waits, visibly, goes to one that can do it, and the run ends', async () => {
  const actor = await engine.organization('alpha', 'beta')
  const { organizationId } = actor
  await engine.world.database.inTenant(actor, (tx) =>
    tx.sql(
      `update agent set capabilities = array['reading'] where name = 'alpha' and organization_id = $1::uuid returning id`,
      organizationId,
    ),
  )
  const id = await engine.start(actor, DOCUMENT)
  const [alpha] = await engine.world.database.inTenant(actor, (tx) =>
    tx.sql<{ id: string }>(
      `update agent set status = 'draining' where organization_id = $1::uuid and name = 'alpha' returning id`,
      organizationId,
    ),
  )
  const agentId = alpha?.id ?? ''
  const services = { database: engine.world.database, wake: () => undefined }
  const done: (string | null)[] = []
  engine.work(actor, async (task) => {
    done.push(task.agentName)
    return { type: 'succeeded', output: null }
  })
  expect(await handOverWork(services, { organizationId, agentId, force: true })).toEqual({
    handedOver: 0,
    underWay: 0,
    waiting: 1,
  })
  expect(await engine.ask(actor, WAITS, { id })).toEqual({
    runState: { waits: [{ for: 'AGENT', name: 'alpha', path: 'named' }] },
  })
  await engine.world.database.inTenant(actor, (tx) =>
    tx.sql(
      `update agent set capabilities = array['reading', 'writing'] where name = 'beta' and organization_id = $1::uuid returning id`,
      organizationId,
    ),
  )
  expect(await handOverWork(services, { organizationId, agentId, force: false })).toMatchObject({
    handedOver: 1,
  })
  await engine.event(actor, /^run\.completed$/)
  expect(done).toEqual(['beta', 'beta'])
  const [event] = await engine.rows<{ action: string }>(
    actor,
    `select data->>'action' as action from log.event where organization_id = $1 and type = 'task.controlled'`,
  )
  expect(event?.action).toBe('reassign')
})

test('what an agent has on the board is in its final state: what it holds and what it posted, and nothing else', async () => {
  const actor = await engine.organization('alpha', 'beta')
  const { organizationId } = actor
  const agents = await engine.rows<{ id: string; name: string }>(
    actor,
    `select id, name from agent where organization_id = $1 order by name`,
  )
  const [alpha, beta] = agents.map(({ id }) => id)
  await engine.world.database.inTenant(actor, (tx) =>
    tx.sql(
      `update agent set capabilities = array[name || 's'] where organization_id = $1::uuid returning id`,
      organizationId,
    ),
  )
  const post = async (capability: string, by = actor): Promise<string> => {
    const query = `mutation ($capability: String!) { postToBoard(input: { capability: $capability, input: {} }) { item { id } } }`
    const { postToBoard } = await engine.ask<{ postToBoard: { item: { id: string } } }>(by, query, {
      capability,
    })
    return postToBoard.item.id
  }
  const claim = (agentId: string | undefined) =>
    engine.ask(
      actor,
      `mutation ($agentId: ID) { claimBoardItems(input: { agentId: $agentId }) { items { id } } }`,
      { agentId },
    )
  const held = await post('alphas')
  await claim(alpha)
  await post('betas')
  await claim(beta)
  await post('alphas')
  const posted = await post('betas', { ...testActor('agent', organizationId), name: 'alpha' })
  const { board } = await workOfAgent(engine.world.database, organizationId, alpha ?? '')
  expect(board).toMatchObject([
    { id: held, capability: 'alphas', status: 'claimed' },
    { id: posted, capability: 'betas', status: 'open' },
  ])
})
