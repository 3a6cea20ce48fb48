import { afterAll, beforeAll, expect, test } from 'vitest'
import { findRoom } from './find-room.ts'
import { queuedOrganizations, releaseQueuedRuns } from './release-queued-runs.ts'
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

type Started = { id: string; strand: string }

/** Workers claim what they may; the runs begin: their main lines are at a first task. */
async function begin(org: LimitedOrganization, most = 100): Promise<string[]> {
  const begun = await within(world.worker, async (client) =>
    claim(client, await findRoom(client, [org.id], most)),
  )
  const rows = await org.sql<{ run_id: string }>(
    `with s as (update strand set task_id = uuidv7(), wait_key = null where id = any($1::uuid[]) returning run_id)
     update run r set status = 'running' from s where r.id = s.run_id returning s.run_id`,
    [begun],
  )
  return rows.map((row) => row.run_id)
}

async function end(org: LimitedOrganization, ids: readonly (string | undefined)[]): Promise<void> {
  await org.sql(`update run set status = 'completed', ended_at = now() where id = any($1::uuid[])`, [ids])
  await org.sql('delete from strand where run_id = any($1::uuid[])', [ids])
}

const release = (org: LimitedOrganization): Promise<string[]> =>
  within(world.worker, (client) => releaseQueuedRuns(client, org.id))

const idsOf = (runs: readonly Started[]): string[] => runs.map(({ id }) => id)

test('runs above the limit wait in line, and begin oldest first when others end', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  await org.limit({ counts: 'runs', maxRunning: 3 })
  const runs = idsOf(await org.runs(6, { workflow }))
  expect((await begin(org)).toSorted()).toEqual(runs.slice(0, 3).toSorted())
  expect(
    await org.sql(
      `select r.status as run, s.status, s.wait_key, s.due_at from run r join strand s on s.run_id = r.id
       where r.id = any($1::uuid[])`,
      [runs.slice(3)],
    ),
  ).toEqual(Array(3).fill({ run: 'queued', status: 'held', wait_key: 'slot', due_at: null }))
  expect(await begin(org)).toEqual([])
  expect(await release(org)).toEqual([])

  await end(org, [runs[1]])
  expect(await release(org)).toEqual([runs[3]])
  expect(await release(org)).toEqual([])
  expect(await begin(org)).toEqual([runs[3]])
  await end(org, [runs[0], runs[2]])
  expect(await release(org)).toEqual([runs[4], runs[5]])
  expect(await queuedOrganizations(world.worker)).not.toContain(org.id)
})

test('waiting and paused runs are under way, and those that were started before the limit count', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  const [first, second] = [
    await org.runs(1, { workflow, status: 'waiting' }),
    await org.runs(1, { workflow, status: 'paused' }),
  ]
  await org.limit({ counts: 'runs', maxRunning: 3 })
  const runs = idsOf(await org.runs(3, { workflow }))
  expect(await begin(org)).toEqual([runs[0]])
  expect(await queuedOrganizations(world.worker)).toContain(org.id)
  await end(org, idsOf([...first, ...second]))
  expect(await release(org)).toEqual([runs[1], runs[2]])
})

test('a step of priority is worth an hour of waiting', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  await org.limit({ counts: 'runs', maxRunning: 1 })
  const [running] = idsOf(await org.runs(1, { workflow }))
  await begin(org)
  const [low] = idsOf(await org.runs(1, { workflow, priority: -1 }))
  const [normal] = idsOf(await org.runs(1, { workflow }))
  const [high] = idsOf(await org.runs(1, { workflow, priority: 2 }))
  await begin(org)
  const order: string[] = []
  for (let last = running; last; last = order.at(-1)) {
    await end(org, [last])
    const next = await release(org)
    expect(next.length).toBeLessThanOrEqual(1)
    order.push(...next)
    await begin(org)
    if (next.length === 0) break
  }
  expect(order).toEqual([high, normal, low])
})

test('a workflow’s limit and each value of a key have room of their own, also behind a long line', async () => {
  const org = await world.organization()
  const [free, keyed] = [await org.workflow(), await org.workflow()]
  await org.limit({ scope: 'workflow', subject: keyed, counts: 'runs', maxRunning: 2, perKey: 'customer' })
  const crowd = idsOf(await org.runs(230, { workflow: keyed, key: 'a' }))
  const others = [
    ...idsOf(await org.runs(3, { workflow: keyed, key: 'b' })),
    ...idsOf(await org.runs(1, { workflow: keyed, key: '' })),
    ...idsOf(await org.runs(4, { workflow: free, key: 'a' })),
  ]
  const begun: string[] = []
  for (let round = 0; round < 5; round += 1) begun.push(...(await begin(org)))
  expect(new Set(begun)).toEqual(new Set([...crowd.slice(0, 2), ...others.slice(0, 2), ...others.slice(3)]))
  await end(org, [crowd[0], others[1]])
  expect(new Set(await release(org))).toEqual(new Set([crowd[2], others[2]]))
})

test('a run that is not due yet takes no room, and waits for its turn once it is', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  await org.limit({ counts: 'runs', maxRunning: 1 })
  const [later] = idsOf(await org.runs(1, { workflow, startIn: 3_600 }))
  const [now] = idsOf(await org.runs(1, { workflow }))
  expect(await begin(org)).toEqual([now])
  await org.sql(`update run set start_at = now() - interval '1 second' where id = $1`, [later])
  await org.sql(`update strand set due_at = now() - interval '1 second' where run_id = $1`, [later])
  expect(await begin(org)).toEqual([])
  await end(org, [now])
  expect(await release(org)).toEqual([later])
})

test('what is due at a moment is due at that moment: it is not rounded up', async () => {
  const org = await world.organization()
  const [run] = idsOf(await org.runs(1, { workflow: await org.workflow() }))
  expect(
    await org.sql(
      `update strand set due_at = x.moment from (values (timestamptz '2026-01-01 00:00:00.0006Z')) x(moment)
       where run_id = $1 returning due_at <= x.moment as due`,
      [run],
    ),
  ).toEqual([{ due: true }])
})

test('a run waits for no room that the run above it has in the organization’s limit', async () => {
  const org = await world.organization()
  const [workflow, below] = [await org.workflow(), await org.workflow()]
  await org.limit({ counts: 'runs', maxRunning: 1 })
  const [above] = idsOf(await org.runs(1, { workflow }))
  expect(await begin(org)).toEqual([above])
  const sub = idsOf(await org.runs(2, { workflow: below, depth: 1 }))
  expect((await begin(org)).toSorted()).toEqual(sub.toSorted())
  await org.limit({ scope: 'workflow', subject: below, counts: 'runs', maxRunning: 3 })
  const more = idsOf(await org.runs(2, { workflow: below, depth: 1 }))
  expect(await begin(org)).toEqual([more[0]])
})

test('a run that was paused in line waits for its turn again when it is resumed', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  await org.limit({ counts: 'runs', maxRunning: 1 })
  const runs = idsOf(await org.runs(3, { workflow }))
  expect(await begin(org)).toEqual([runs[0]])
  await org.sql(`update run set status = 'paused' where id = $1`, [runs[1]])
  await end(org, [runs[0]])
  // It had not begun, so it takes no room.
  expect(await release(org)).toEqual([runs[2]])
  expect(await begin(org)).toEqual([runs[2]])
  // As a resume does: what was held is ready.
  await org.sql(`update run set status = 'queued' where id = $1`, [runs[1]])
  await org.sql(`update strand set status = 'ready', due_at = now() where run_id = $1`, [runs[1]])
  expect(await begin(org)).toEqual([])
  await end(org, [runs[2]])
  expect(await release(org)).toEqual([runs[1]])
})

test('runs that are ordered to stop give their turn to others', async () => {
  const org = await world.organization()
  const [stopped, workflow] = [await org.workflow(), await org.workflow()]
  await org.limit({ counts: 'runs', maxRunning: 1 })
  const [running] = idsOf(await org.runs(1, { workflow }))
  await begin(org)
  const [waiting] = idsOf(await org.runs(1, { workflow: stopped }))
  const [other] = idsOf(await org.runs(1, { workflow }))
  await begin(org)
  await org.sql(
    `insert into containment (organization_id, scope, target_id, reason, ordered_by) values ($1, 'workflow', $2, 'r', '{}')`,
    [org.id, stopped],
  )
  await end(org, [running])
  expect(await release(org)).toEqual([other])
  await org.sql(`update containment set lifted_at = now() where organization_id = $1`, [org.id])
  await end(org, [other])
  expect(await release(org)).toEqual([waiting])
})

test('without a limit any more, everybody in line begins', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  await org.limit({ counts: 'runs', maxRunning: 1 })
  const runs = idsOf(await org.runs(4, { workflow }))
  expect(await begin(org)).toEqual([runs[0]])
  await org.sql('delete from engine_limit where organization_id = $1', [org.id])
  expect(await release(org)).toEqual(runs.slice(1))
  expect((await begin(org)).toSorted()).toEqual(runs.slice(1).toSorted())
})

test('many runs that end at once, and as many who release, never let too many begin', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  await org.limit({ counts: 'runs', maxRunning: 4 })
  let left = (await org.runs(60, { workflow })).length
  let most = 0
  async function worker(): Promise<void> {
    while (left > 0) {
      const begun = await begin(org, 3)
      const [row] = await org.sql<{ n: number }>(
        `select count(*)::int as n from run r join strand s on s.run_id = r.id
         where r.organization_id = $1 and (r.status = 'running' or s.wait_key = 'slot:taken')`,
        [org.id],
      )
      most = Math.max(most, row?.n ?? 0)
      await end(org, begun)
      left -= begun.length
      await release(org)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  expect(left).toBe(0)
  expect(most).toBeLessThanOrEqual(4)
})
