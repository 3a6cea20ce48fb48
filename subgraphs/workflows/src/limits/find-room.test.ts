import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Candidate } from './admit.ts'
import { budgetLeft } from './budget-left.ts'
import { claimRoom } from './claim-room.ts'
import { findRoom } from './find-room.ts'
import {
  claim,
  type LimitedOrganization,
  type LimitWorld,
  openLimitWorld,
  within,
} from './testing/limit-world.ts'

let world: LimitWorld
beforeAll(async () => {
  world = await openLimitWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** One claim of up to `most` strands; answers with their ids. */
const claimOnce = (org: LimitedOrganization, most = 100): Promise<string[]> =>
  within(world.worker, async (client) => {
    const ids = await findRoom(client, [org.id], most)
    const claimed = new Set(await claim(client, ids))
    return ids.filter((id) => claimed.has(id))
  })

const finish = (org: LimitedOrganization, ids: readonly string[]) =>
  org.sql('delete from strand where id = any($1::uuid[])', [ids])

/** Each claimer has work of its own in sight: two that saw the same would keep each other from claiming too much. */
function deal(candidates: readonly Candidate[]): Candidate[][] {
  return Array.from({ length: 8 }, (_, hand) => candidates.filter((_each, index) => index % 8 === hand))
}

/** What is left of a hand after it was claimed from once, at most five; with the strands that were claimed. */
const claimOf = (
  hand: readonly Candidate[],
  look: (client: pg.PoolClient) => Promise<void>,
): Promise<string[]> =>
  within(world.worker, async (client) => {
    const room = await claimRoom(client, hand, { most: 5 })
    const claimed = await claim(client, [...room.admitted])
    await look(client)
    return claimed
  })

test('eight claimers at once never exceed a limit, leave nothing behind, and use it fully', async () => {
  const org = await world.organization()
  const [first, second] = [await org.workflow(), await org.workflow()]
  const [fast, slow] = [await org.agent(), await org.agent()]
  const most = { organization: 12, workflow: 7, agent: 3, key: 2 }
  await org.limit({ maxRunning: most.organization })
  await org.limit({ scope: 'workflow', subject: first, maxRunning: most.workflow })
  await org.limit({ scope: 'agent', subject: slow, maxRunning: most.agent })
  await org.limit({ scope: 'key', subject: 'customer', maxRunning: most.key })
  const candidates: Candidate[] = []
  for (const [count, workflow, agent, key] of [
    [80, first, fast, null],
    [60, second, slow, null],
    [40, first, slow, 'customer'],
    [60, second, fast, 'customer'],
  ] as const)
    for (const strandId of await org.strands(count, { workflow, agent, key }))
      candidates.push({
        organizationId: org.id,
        strandId,
        workflowId: workflow,
        agentId: agent,
        limitKey: key,
      })

  const seen = { organization: 0, workflow: 0, agent: 0, key: 0 }
  /** Within the claim: what others have committed, and its own. */
  async function look(client: pg.PoolClient): Promise<void> {
    const { rows } = await client.query<typeof seen>(
      `select count(*)::int as organization, count(*) filter (where workflow_id = $2)::int as workflow,
         count(*) filter (where agent_id = $3)::int as agent, count(*) filter (where limit_key = 'customer')::int as key
       from strand where organization_id = $1 and status = 'running'`,
      [org.id, first, slow],
    )
    for (const scope of ['organization', 'workflow', 'agent', 'key'] as const)
      seen[scope] = Math.max(seen[scope], rows[0]?.[scope] ?? 0)
  }
  await Promise.all(
    deal(candidates).map(async (hand) => {
      for (let left = hand; left.length > 0;) {
        const claimed = await claimOf(left, look)
        await finish(org, claimed)
        left = left.filter(({ strandId }) => !claimed.includes(strandId))
      }
    }),
  )
  for (const scope of ['organization', 'workflow', 'agent', 'key'] as const)
    expect([scope, Math.min(seen[scope], most[scope])]).toEqual([scope, seen[scope]])
  expect(await org.sql('select id from strand where organization_id = $1', [org.id])).toEqual([])

  // With enough to do, and nothing that ends: everything that may be under way is.
  await org.strands(20, { workflow: second, agent: fast })
  const claims = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const claimed: string[] = []
      for (let round = 0; round < 12; round += 1) claimed.push(...(await claimOnce(org, 3)))
      return claimed
    }),
  )
  expect([...claims.flat(), ...(await claimOnce(org))]).toHaveLength(most.organization)
})

test('eight claimers at once take no more from a bucket than it holds', async () => {
  const org = await world.organization()
  const [workflow, agent] = [await org.workflow(), await org.agent()]
  await org.limit({ rate: { starts: 25, perSeconds: 86_400 } })
  const strands = await org.strands(100, { workflow, agent })
  const candidates = strands.map((strandId): Candidate => ({
    organizationId: org.id,
    strandId,
    workflowId: workflow,
    agentId: agent,
    limitKey: null,
  }))
  const claims = await Promise.all(
    deal(candidates).map(async (hand) => {
      const claimed: string[] = []
      for (let round = 0; round < 8; round += 1)
        claimed.push(
          ...(await claimOf(
            hand.filter(({ strandId }) => !claimed.includes(strandId)),
            async () => undefined,
          )),
        )
      return claimed
    }),
  )
  const rest = await claimOnce(org)
  expect(new Set([...claims.flat(), ...rest]).size).toBe(25)
  expect(await claimOnce(org)).toEqual([])
})

test('a bucket fills with time, on the database’s clock', async () => {
  const org = await world.organization()
  const [workflow, agent] = [await org.workflow(), await org.agent()]
  await org.limit({ rate: { starts: 10, perSeconds: 3_600 } })
  await org.strands(40, { workflow, agent })
  expect(await claimOnce(org)).toHaveLength(10)
  expect(await claimOnce(org)).toEqual([])
  const pass = (minutes: number) =>
    org.sql(
      `update engine_limit set refilled_at = refilled_at - $2 * interval '1 minute' where organization_id = $1`,
      [org.id, minutes],
    )
  await pass(13)
  expect(await claimOnce(org)).toHaveLength(2)
  await pass(600)
  expect(await claimOnce(org)).toHaveLength(10)
})

test('what the engine does itself takes no token, and is found behind what waits for one', async () => {
  const org = await world.organization()
  const [workflow, agent] = [await org.workflow(), await org.agent()]
  await org.limit({ rate: { starts: 1, perSeconds: 86_400 } })
  await org.strands(300, { workflow, agent, due: -600 })
  const own = await org.strands(2, { workflow, due: -1 })
  expect((await claimOnce(org, 20)).toSorted()).toEqual(expect.arrayContaining(own))
  expect(await claimOnce(org, 20)).toEqual([])
})

test('an agent that is busy does not hold up others behind it', async () => {
  const org = await world.organization()
  const [workflow, busy, free] = [await org.workflow(), await org.agent(), await org.agent()]
  await org.limit({ scope: 'agent', subject: busy, maxRunning: 1 })
  await org.strands(200, { workflow, agent: busy, due: -600 })
  const others = await org.strands(3, { workflow, agent: free, due: -1 })
  const claimed = await claimOnce(org, 10)
  expect(claimed).toHaveLength(4)
  expect(claimed).toEqual(expect.arrayContaining(others))
})

test('a lease that ran out keeps its place, pays no second time, and is found behind a long queue', async () => {
  const org = await world.organization()
  const [workflow, agent] = [await org.workflow(), await org.agent()]
  await org.limit({ maxRunning: 1, rate: { starts: 1, perSeconds: 86_400 } })
  await org.strands(200, { workflow, agent, due: -600 })
  const [lost] = await org.strands(1, { workflow, agent, status: 'running', due: -1 })
  expect(await claimOnce(org, 10)).toEqual([lost])
  expect(await claimOnce(org, 10)).toEqual([])
  await finish(org, [lost ?? ''])
  expect(await claimOnce(org, 10)).toHaveLength(1)
})

test('what is ordered to stop takes no room and does not hold up others', async () => {
  const org = await world.organization()
  const [stopped, workflow, agent] = [await org.workflow(), await org.workflow(), await org.agent()]
  await org.limit({ maxRunning: 2, rate: { starts: 2, perSeconds: 86_400 } })
  await org.sql(
    `insert into containment (organization_id, scope, target_id, reason, ordered_by) values ($1, 'workflow', $2, 'r', '{}')`,
    [org.id, stopped],
  )
  await org.strands(100, { workflow: stopped, agent, due: -600 })
  const others = await org.strands(2, { workflow, agent })
  expect((await claimOnce(org, 10)).toSorted()).toEqual(others.toSorted())
})

test('whoever finds the limits locked takes nothing of that organization, and something of another', async () => {
  const [one, other] = [await world.organization(), await world.organization()]
  const strands: string[][] = []
  for (const org of [one, other]) {
    await org.limit({ maxRunning: 5 })
    strands.push(await org.strands(2, { workflow: await org.workflow() }))
  }
  let told = 0
  const whenBusy = () => void (told += 1)
  const [held, taken] = await within(world.worker, async (first) => {
    const ofOne = await findRoom(first, [one.id], 10, whenBusy)
    expect(told).toBe(0)
    const ofBoth = await within(world.worker, (second) => findRoom(second, [one.id, other.id], 10, whenBusy))
    return [ofOne, ofBoth]
  })
  expect(told).toBe(1)
  expect(new Set(held)).toEqual(new Set(strands[0]))
  expect(new Set(taken)).toEqual(new Set(strands[1]))
})

test('a claim says what is full, and admits what is in no organization with limits', async () => {
  const [org, free] = [await world.organization(), await world.organization()]
  const workflow = await org.workflow()
  await org.limit({ scope: 'workflow', subject: workflow, maxRunning: 1 })
  const strands = await org.strands(2, { workflow })
  const [unlimited] = await free.strands(1, { workflow: await free.workflow() })
  const candidate = (organizationId: string, strandId: string): Candidate => ({
    organizationId,
    strandId,
    workflowId: workflow,
    agentId: null,
    limitKey: null,
  })
  const room = await within(world.worker, (client) =>
    claimRoom(client, [...strands.map((id) => candidate(org.id, id)), candidate(free.id, unlimited ?? '')]),
  )
  expect([...room.admitted]).toEqual([strands[0], unlimited])
  expect(room.full).toEqual([
    { organizationId: org.id, scope: 'workflow', subject: workflow, of: 'everything' },
  ])
})

test('once the day has cost what it may, nothing begins that may cost, until the organization’s midnight', async () => {
  const org = await world.organization('Pacific/Kiritimati')
  const workflow = await org.workflow()
  const [dear, model, free, person] = [
    await org.agent('http'),
    await org.agent('builtin', { ai_models: { primary: 'm' } }),
    await org.agent('builtin'),
    await org.agent('person'),
  ]
  await org.limit({ counts: 'cost', maxCostUsd: 50 })
  const spend = async (cost: number): Promise<void> => {
    const [strand] = await org.strands(1, { workflow, status: 'running', due: 60 })
    await org.sql(
      `insert into task (organization_id, run_id, step_path, node_id, kind, status, input, timeout_ms, agent_id)
       select organization_id, run_id, 'a', 'a', 'agent', 'running', '{}', 1, $2 from strand where id = $1`,
      [strand, dear],
    )
    // Twice: an attempt that failed has cost as well.
    for (const half of [cost / 2, cost / 2])
      await org.sql(
        `update task t set cost_usd = cost_usd + $2 from strand s where s.id = $1 and t.run_id = s.run_id`,
        [strand, half],
      )
    await finish(org, [strand ?? ''])
  }
  expect(await budgetLeft(world.worker, org.id)).toBe(50)
  await spend(49.5)
  expect(await budgetLeft(world.worker, org.id)).toBeCloseTo(0.5, 6)
  const [first] = await org.strands(1, { workflow, agent: dear })
  expect(await claimOnce(org)).toEqual([first])

  await spend(0.5)
  expect(await budgetLeft(world.worker, org.id)).toBe(0)
  const refused = [
    ...(await org.strands(100, { workflow, agent: dear, due: -600 })),
    ...(await org.strands(1, { workflow, agent: model, due: -600 })),
  ]
  const allowed = [
    ...(await org.strands(1, { workflow, agent: free })),
    ...(await org.strands(1, { workflow, agent: person })),
    ...(await org.strands(1, { workflow })),
  ]
  expect((await claimOnce(org, 10)).toSorted()).toEqual(allowed.toSorted())

  // Its midnight is UTC's 10:00: what was spent before is not of today, though it may be of UTC's.
  await org.sql(
    `update task_cost set spent_at = date_trunc('day', clock_timestamp(), 'Pacific/Kiritimati') - interval '1 second'
     where organization_id = $1`,
    [org.id],
  )
  expect(await budgetLeft(world.worker, org.id)).toBe(50)
  expect(await claimOnce(org, 200)).toHaveLength(refused.length)
})

test('without a budget there is none left to tell, and an unknown time zone is UTC', async () => {
  const org = await world.organization('Nowhere/Never')
  expect(await budgetLeft(world.worker, org.id)).toBeNull()
  await org.limit({ counts: 'cost', maxCostUsd: 2 })
  expect(await budgetLeft(world.worker, org.id)).toBe(2)
})
