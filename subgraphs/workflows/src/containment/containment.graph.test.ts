import type { Actor } from '@tutti/schema'
import { createLog } from '@tutti/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'
import { startRuns } from '../runs/start-runs.ts'
import { proveStops } from './prove-stops.ts'

const log = createLog('test', 'silent')
let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

interface Containment {
  id: string
  scope: string
  reason: string
  orderedAt: string
  stoppedAt: string | null
  liftedAt: string | null
  running: {
    task: { stepPath: string; status: string } | null
    agent: { id: string } | null
    leaseEnd: string
    acknowledgedAt: string | null
    stoppedAt: string | null
  }[]
}
const FIELDS = `id scope reason orderedAt stoppedAt liftedAt
  running { task { stepPath status } agent { id } leaseEnd acknowledgedAt stoppedAt }`

const contain = async (actor: Actor, input: Record<string, unknown>): Promise<Containment> =>
  (
    await engine.ask<{ contain: { containment: Containment } }>(
      actor,
      `mutation($input: ContainInput!) { contain(input: $input) { containment { ${FIELDS} } } }`,
      { input },
    )
  ).contain.containment
const lift = (actor: Actor, id: string): Promise<unknown> =>
  engine.ask(
    actor,
    'mutation($id: ID!) { liftContainment(input: { id: $id }) { containment { liftedAt } } }',
    { id },
  )
const read = async (actor: Actor, id: string): Promise<Containment> =>
  (
    await engine.ask<{ containment: Containment }>(
      actor,
      `query($id: ID!) { containment(id: $id) { ${FIELDS} } }`,
      { id },
    )
  ).containment

/** Looks at the orders, as every worker does, until this one's end is proven. */
async function proven(actor: Actor, id: string): Promise<Containment> {
  for (;;) {
    await proveStops({ database: engine.world.database, log })
    const containment = await read(actor, id)
    if (containment.stoppedAt) return containment
  }
}

const idOf = async (actor: Actor, table: 'agent' | 'workflow', name: string): Promise<string> =>
  (
    await engine.rows<{ id: string }>(
      actor,
      `select id from ${table} where organization_id = $1 and name = $2`,
      [name],
    )
  )[0]?.id ?? ''

const oneStep = (name: string, agent: string): string =>
  `format: tutti/1\nname: ${name}\nsteps: [{ name: work, agent: ${agent}, output: result }]`

/** A worker whose tasks of one agent go on until they are told to stop, or let go. */
function busy(actor: Actor, agent: string) {
  const begun: (() => void)[] = []
  const tasks: string[] = []
  const told: string[] = []
  let open = false
  let letGo: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (letGo = resolve))
  const worker = engine.work(actor, async (task, signal) => {
    tasks.push(task.runId)
    for (const resolve of begun.splice(0)) resolve()
    if (task.agentName === agent && !open) {
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => {
          told.push(task.runId)
          resolve()
        }),
      )
      await Promise.race([aborted, gate])
    }
    return { type: 'succeeded', output: task.attempt }
  })
  return {
    worker,
    told,
    /** When so many tasks have begun. */
    async begun(count: number): Promise<void> {
      while (tasks.length < count) await new Promise<void>((resolve) => begun.push(resolve))
    },
    letGo() {
      open = true
      letGo()
    },
  }
}
const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)

describe('an order to stop an agent', () => {
  test('fences off what it does, tells it, proves its end, and lets others work; lifted, it goes on', async () => {
    const actor = await engine.organization('alpha', 'beta')
    const crew = busy(actor, 'alpha')
    await using _worker = crew.worker
    const run = await engine.start(actor, oneStep('of-alpha', 'alpha'))
    await crew.begun(1)
    const agent = await idOf(actor, 'agent', 'alpha')
    const order = await contain(actor, { scope: 'AGENT', id: agent, reason: 'it went mad' })
    expect(order).toMatchObject({
      stoppedAt: null,
      running: [{ task: { stepPath: 'work', status: 'READY' }, agent: { id: agent } }],
    })
    const stopped = await proven(actor, order.id)
    expect(crew.told).toEqual([run])
    const [work] = stopped.running
    expect(work?.acknowledgedAt).not.toBeNull()
    expect(stopped.stoppedAt).toBe(work?.acknowledgedAt)
    expect(Date.parse(work?.acknowledgedAt ?? '')).toBeLessThan(Date.parse(work?.leaseEnd ?? ''))

    // Its workflows are started all the same, and wait; another agent's are done.
    const waiting = await engine.start(actor, oneStep('of-alpha', 'alpha'))
    const other = await engine.start(actor, oneStep('of-beta', 'beta'))
    await ended(actor, other)
    await proveStops({ database: engine.world.database, log })
    const { runState } = await engine.ask<{ runState: { waits: object[] } }>(
      actor,
      'query($id: ID!) { runState(id: $id) { waits { path for } } }',
      { id: waiting },
    )
    expect(runState.waits).toEqual([{ path: 'work', for: 'LIFTING' }])
    crew.letGo()
    await lift(actor, order.id)
    for (const id of [run, waiting]) expect((await ended(actor, id)).type).toBe('run.completed')
    // The attempt that was stopped is not counted.
    const tasks = await engine.rows(
      actor,
      `select attempt from task where organization_id = $1 and run_id = $2`,
      [run],
    )
    expect(tasks).toEqual([{ attempt: 1 }])
    const events = await engine.rows<{ type: string }>(
      actor,
      `select type from log.event where organization_id = $1 and (type like 'containment.%' or type = 'task.stopped')
       order by seq`,
    )
    expect(events.map(({ type }) => type)).toEqual([
      'containment.ordered',
      'task.stopped',
      'containment.stopped',
      'containment.lifted',
    ])
  })

  test('holds for the next step of a run, and for items of a map that are about to begin', async () => {
    const actor = await engine.organization('alpha', 'beta')
    const crew = busy(actor, 'beta')
    await using _worker = crew.worker
    const id = await engine.start(
      actor,
      `
format: tutti/1
name: next
steps:
  - { name: first, agent: beta }
  - { name: letters, type: transform, set: { letters: '["a", "b"]' } }
  - name: each
    type: map
    over: letters
    steps: [{ name: work, agent: alpha, output: result }]
    output: results
`,
    )
    await crew.begun(1)
    const order = await contain(actor, {
      scope: 'AGENT',
      id: await idOf(actor, 'agent', 'alpha'),
      reason: 'later',
    })
    crew.letGo()
    await engine.event(actor, /^task\.ready$/, ({ data }) => JSON.stringify(data).includes('each[1]/work'))
    expect(await proven(actor, order.id)).toMatchObject({ running: [] })
    const states = async () =>
      engine.rows<{ step_path: string; status: string; strand: string }>(
        actor,
        `select t.step_path, t.status, s.status as strand from task t
         join strand s on s.organization_id = t.organization_id and s.task_id = t.id
         where t.organization_id = $1 and t.kind = 'agent' order by t.step_path`,
      )
    expect(await states()).toEqual([
      { step_path: 'each[0]/work', status: 'ready', strand: 'held' },
      { step_path: 'each[1]/work', status: 'ready', strand: 'held' },
    ])
    await lift(actor, order.id)
    expect((await ended(actor, id)).type).toBe('run.completed')
  })
})

describe('an order to stop a workflow, a domain or everything', () => {
  test('refuses new runs with its reason, and stops those under way', async () => {
    const actor = await engine.organization('alpha')
    const crew = busy(actor, 'alpha')
    await using _worker = crew.worker
    const run = await engine.start(actor, oneStep('stopped', 'alpha'))
    await crew.begun(1)
    const id = await idOf(actor, 'workflow', 'stopped')
    const order = await contain(actor, { scope: 'WORKFLOW', id, reason: 'it spends too much' })
    expect((await contain(actor, { scope: 'WORKFLOW', id, reason: 'again' })).id).toBe(order.id)
    const start = () =>
      startRuns(
        { database: engine.world.database, wake: () => undefined },
        actor,
        [{ workflowId: id, input: {} }],
        String,
      )
    await expect(start()).rejects.toMatchObject({
      code: 'CONTAINED',
      message: 'It was ordered to stop: it spends too much',
    })
    // Another workflow, and another organization, go on.
    crew.letGo()
    await ended(actor, await engine.start(actor, oneStep('other', 'alpha')))
    expect((await proven(actor, order.id)).running).toHaveLength(1)
    expect(
      await engine.rows(actor, `select status from run where organization_id = $1 and id = $2`, [run]),
    ).toEqual([{ status: 'running' }])
    await lift(actor, order.id)
    await lift(actor, order.id)
    expect((await ended(actor, run)).type).toBe('run.completed')
    await start()
  })

  test('reaches the sub-runs of a workflow wherever they run, and those that its runs wait for', async () => {
    const actor = await engine.organization('alpha', 'beta')
    for (const document of [oneStep('leaf', 'alpha'), oneStep('loose', 'alpha')])
      await applyWorkflow(engine.world, actor, document)
    const crew = busy(actor, 'alpha')
    await using _worker = crew.worker
    const around = (name: string, sub: string, more = '') =>
      `format: tutti/1\nname: ${name}\nsteps: [{ name: sub, type: workflow, workflow: ${sub}${more} }]`
    await applyWorkflow(engine.world, actor, around('middle', 'leaf'))
    const [first, second, third, fourth] = [
      await engine.start(actor, around('top', 'middle')),
      await engine.start(actor, around('other', 'leaf')),
      await engine.start(actor, oneStep('leaf', 'alpha')),
      await engine.start(actor, around('letting-go', 'loose', ', wait: false')),
    ]
    await crew.begun(4)
    const leafBelow = async (above: string): Promise<string> =>
      (
        await engine.rows<{ id: string }>(
          actor,
          `with recursive below as (select $2::uuid as id union all
             select r.id from below b join run r on r.organization_id = $1 and r.parent_run_id = b.id)
           select id from below order by id desc limit 1`,
          [above],
        )
      )[0]?.id ?? ''
    // From above: what the run's sub-run waits for stops, whatever its workflow; others' sub-runs of that workflow do not.
    const top = await contain(actor, {
      scope: 'WORKFLOW',
      id: await idOf(actor, 'workflow', 'top'),
      reason: 'above',
    })
    const stopped = await proven(actor, top.id)
    expect(crew.told).toEqual([await leafBelow(first)])
    expect(stopped.running).toMatchObject([{ task: { stepPath: 'work' } }])
    expect(stopped.stoppedAt).toBe(stopped.running[0]?.acknowledgedAt)
    // A workflow: its sub-runs wherever they run, and no other.
    const leaf = await contain(actor, {
      scope: 'WORKFLOW',
      id: await idOf(actor, 'workflow', 'leaf'),
      reason: 'itself',
    })
    expect((await proven(actor, leaf.id)).running).toHaveLength(2)
    expect(crew.told.toSorted()).toEqual([await leafBelow(first), await leafBelow(second), third].toSorted())
    // Nobody waits for it: an order about the run that began it is none about it.
    const letting = await contain(actor, {
      scope: 'WORKFLOW',
      id: await idOf(actor, 'workflow', 'letting-go'),
      reason: 'above',
    })
    expect((await proven(actor, letting.id)).running).toEqual([])
    crew.letGo()
    await ended(actor, await leafBelow(fourth))
    // One of the two orders that hold it is lifted, then the other.
    await lift(actor, leaf.id)
    for (const id of [second, third]) expect((await ended(actor, id)).type).toBe('run.completed')
    expect(
      await engine.rows(actor, 'select status from run where organization_id = $1 and id = $2', [first]),
    ).toEqual([{ status: 'waiting' }])
    await lift(actor, top.id)
    expect((await ended(actor, first)).type).toBe('run.completed')
  })

  test('of a domain concerns its agents, and of the organization everything', async () => {
    const actor = await engine.organization('alpha', 'beta')
    const domain = await engine.world.database.inTenant(actor, async ({ db }) => {
      const { organizationId } = actor
      const made = await db.domain.create({ data: { organizationId, name: 'Support' } })
      const team = await db.team.create({ data: { organizationId, domainId: made.id, name: 'First' } })
      await db.agent.updateMany({ where: { name: 'alpha' }, data: { teamId: team.id } })
      return made.id
    })
    const crew = busy(actor, 'nobody')
    await using _worker = crew.worker
    const order = await contain(actor, { scope: 'DOMAIN', id: domain, reason: 'audit' })
    const [alpha, beta] = [
      await engine.start(actor, oneStep('a', 'alpha')),
      await engine.start(actor, oneStep('b', 'beta')),
    ]
    await ended(actor, beta)
    const everything = await contain(actor, { scope: 'ORGANIZATION', reason: 'fire' })
    await expect(engine.start(actor, oneStep('b', 'beta'))).rejects.toMatchObject({ code: 'CONTAINED' })
    // Lifting one leaves what the other holds.
    await lift(actor, order.id)
    const held = await engine.rows(actor, 'select status from strand where organization_id = $1')
    expect(held).toEqual([{ status: 'held' }])
    await lift(actor, everything.id)
    expect((await ended(actor, alpha)).type).toBe('run.completed')
  })

  test('says what is wrong with what it was given', async () => {
    const actor = await engine.organization('alpha')
    const stranger = await engine.organization('beta')
    const foreign = await idOf(stranger, 'agent', 'beta')
    for (const id of [foreign, '00000000-0000-4000-8000-000000000000', 'nonsense'])
      await expect(contain(actor, { scope: 'AGENT', id, reason: 'r' })).rejects.toThrow('NOT_FOUND')
    await expect(contain(actor, { scope: 'AGENT', reason: 'r' })).rejects.toThrow(
      'BAD_INPUT: Say which agent.',
    )
    await expect(contain(actor, { scope: 'ORGANIZATION', id: foreign, reason: 'r' })).rejects.toThrow(
      'BAD_INPUT',
    )
    await expect(contain(actor, { scope: 'ORGANIZATION', reason: ' ' })).rejects.toThrow(
      'BAD_INPUT: Say why.',
    )
    const order = await contain(stranger, { scope: 'ORGANIZATION', reason: 'r' })
    await expect(lift(actor, order.id)).rejects.toThrow('NOT_FOUND')
    expect(await read(actor, order.id)).toBeNull()
  })
})

test('work of a worker that does not answer has stopped when its lease has ended, and not before', async () => {
  const actor = await engine.organization('alpha')
  const { database } = engine.world
  const run = await engine.start(actor, oneStep('frozen', 'alpha'))
  const lease = (seconds: number) =>
    database.transact(actor, (client) =>
      client.query(`update containment_stop set lease_end = clock_timestamp() + $1 * interval '1 second'`, [
        seconds,
      ]),
    )
  // A worker has claimed it, and is heard of no more.
  await database.transact(actor, async (client) => {
    await client.query(
      `update strand set status = 'running', fence = 9, due_at = clock_timestamp() + interval '1 hour' where run_id = $1`,
      [run],
    )
    await client.query(`update task set status = 'running', attempt = 1 where run_id = $1`, [run])
  })
  const order = await contain(actor, { scope: 'ORGANIZATION', reason: 'r' })
  await lease(3_600)
  await proveStops({ database, log })
  await proveStops({ database, log })
  expect(await read(actor, order.id)).toMatchObject({ stoppedAt: null, running: [{ stoppedAt: null }] })
  // An order that comes after it has the same work to wait for.
  const second = await contain(actor, {
    scope: 'WORKFLOW',
    id: await idOf(actor, 'workflow', 'frozen'),
    reason: 'r',
  })
  expect(second.running).toMatchObject([{ task: { stepPath: 'work' } }])
  await lease(0)
  const [first, other] = [await proven(actor, order.id), await proven(actor, second.id)]
  expect(first.running).toMatchObject([{ acknowledgedAt: null, stoppedAt: first.running[0]?.leaseEnd }])
  expect(other.stoppedAt).toBe(first.running[0]?.leaseEnd)
})

test('an order is not proven while a statement that may not have seen it is under way', async () => {
  const actor = await engine.organization('alpha')
  const { database } = engine.world
  for (const role of ['worker', 'api'] as const) {
    const early = await database.pool(role).connect()
    await early.query('begin')
    const order = await contain(actor, { scope: 'ORGANIZATION', reason: 'r' })
    for (let look = 0; look < 3; look += 1) await proveStops({ database, log })
    expect(await read(actor, order.id)).toMatchObject({ stoppedAt: null, running: [] })
    await early.query('commit')
    early.release()
    const { stoppedAt, orderedAt } = await proven(actor, order.id)
    expect(stoppedAt).toBe(orderedAt)
    await lift(actor, order.id)
  }
})

test('an order whose lifter died is lifted to its end by any worker', async () => {
  const actor = await engine.organization('alpha')
  const { database } = engine.world
  const order = await contain(actor, { scope: 'ORGANIZATION', reason: 'r' })
  await database.transact(actor, async (client) => {
    await client.query(`update containment set lifted_at = now(), lifted_by = ordered_by where id = $1`, [
      order.id,
    ])
  })
  const run = await engine.start(actor, oneStep('left', 'alpha'))
  await database.transact(actor, (client) =>
    client.query(`update strand set status = 'held', due_at = null where run_id = $1`, [run]),
  )
  expect(await proveStops({ database, log })).toBe(true)
  await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: 1 }))
  expect((await ended(actor, run)).type).toBe('run.completed')
})
