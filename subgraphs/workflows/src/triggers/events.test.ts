import { type Actor, type EventRecord, type NewEvent } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { WorkflowNode } from '../definitions/index.ts'
import { MOST_IN_A_ROW } from './fire-event-triggers.ts'
import { createEventReactions, type EventReactions } from './react-to-events.ts'
import { startDueFirings } from './start-due-firings.ts'
import { openTriggerWorld, type TriggerWorld } from './testing/trigger-world.ts'

let world: TriggerWorld
let actor: Actor
let workflowId: string
let reactions: EventReactions
let handled = 0n

beforeAll(async () => {
  world = await openTriggerWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  actor = await world.organization()
  workflowId = await world.workflow(actor)
  reactions = createEventReactions(world.services, () => undefined)
  handled = 0n
})

/** What the consumer of the log does: all events since the last time, or since a position. */
async function react(after = handled): Promise<EventRecord[]> {
  const events = (await world.events(actor, '')).filter(({ seq }) => seq > after)
  await reactions.handle(events)
  handled = events.at(-1)?.seq ?? handled
  await startDueFirings(world.services)
  return events
}

const publish = (input: Record<string, unknown>, who = actor) =>
  world.ask(who, 'mutation($input: PublishEventInput!) { publishEvent(input: $input) { id created } }', {
    input: { type: 'com.shop.order.created', source: '/shop', id: crypto.randomUUID(), ...input },
  })
const append = (event: NewEvent) => world.database.inTenant(actor, (tx) => tx.appendEvent(event))
const article = (title: string): NewEvent => ({
  type: 'knowledge.published',
  subject: 'article/1',
  data: { articleId: '1', title },
})
const on = (eventType: string, input: Record<string, unknown> = {}) =>
  world.trigger(actor, { workflowId, kind: 'EVENT', eventType, ...input })
const inputs = async (id: string) =>
  (await world.runs(actor)).filter(({ triggerId }) => triggerId === id).map(({ input }) => input)

describe('an event trigger', () => {
  test('starts a run for each event of its type that its filter takes', async () => {
    const { id } = await on('knowledge.published', {
      filter: 'event.data.title.startsWith("good")',
      expressions: { title: 'event.data.title', by: 'event.actor.name', type: 'event.type' },
    })
    for (const title of ['good one', 'bad', 'good two']) await append(article(title))
    await react()
    expect(await inputs(id)).toEqual([
      { title: 'good one', by: actor.id, type: 'knowledge.published' },
      { title: 'good two', by: actor.id, type: 'knowledge.published' },
    ])
  })

  test('starts one run for an event however often it is handled, and by however many', async () => {
    const { id } = await on('knowledge.published')
    await append(article('a'))
    await Promise.all([react(0n), react(0n), react(0n)])
    reactions = createEventReactions(world.services, () => undefined)
    await react(0n)
    expect(await inputs(id)).toEqual([{ articleId: '1', title: 'a' }])
    expect(await world.firings(actor, id)).toMatchObject([{ status: 'started', depth: 1 }])
  })

  test('goes by the beginning of types, and no further', async () => {
    const { id } = await on('com.shop.*')
    await publish({ id: '1' })
    await publish({ id: '2', type: 'com.shopping.order' })
    await publish({ id: '3', type: 'com.shop' })
    await publish({ id: '4', type: 'com.shop.returns' })
    await react()
    expect(await world.firings(actor, id)).toHaveLength(2)
  })

  test('has nothing to do with what was before it was made or while it was paused', async () => {
    await append(article('before'))
    const { id } = await on('knowledge.published')
    const change = (name: string) =>
      world.ask(actor, `mutation($id: ID!) { ${name}(input: { id: $id }) { trigger { id } } }`, { id })
    await append(article('one'))
    await react()
    await change('pauseTrigger')
    await append(article('meanwhile'))
    await react()
    await append(article('unseen'))
    await change('resumeTrigger')
    await append(article('two'))
    await react()
    expect((await inputs(id)).map((input) => Reflect.get(Object(input), 'title'))).toEqual(['one', 'two'])
  })

  test('of another organization sees none of it', async () => {
    const mine = actor
    await on('knowledge.published')
    actor = await world.organization()
    workflowId = await world.workflow(actor)
    const { id } = await on('knowledge.published')
    await append(article('theirs'))
    await react()
    expect(await world.runs(mine)).toEqual([])
    expect(await inputs(id)).toHaveLength(1)
  })

  test('with a key of its own starts one run for a value of it', async () => {
    const { id } = await on('com.shop.order.*', { idempotencyKey: 'event.data.order' })
    for (const order of [1, 1, 2]) await publish({ data: { order } })
    await react()
    expect(await inputs(id)).toEqual([{ order: 1 }, { order: 2 }])
  })
})

test('a workflow that its own events start again is stopped after ten in a row, and that is told', async () => {
  const { id } = await on('run.started')
  const started = await world.ask(
    actor,
    'mutation($id: ID!) { startRun(input: { workflowId: $id, input: {} }) { run { id } } }',
    { id: workflowId },
  )
  expect(started.code).toBeNull()
  for (let turn = 0; turn < MOST_IN_A_ROW + 5; turn++) await react()
  expect(await world.runs(actor)).toHaveLength(1 + MOST_IN_A_ROW)
  const firings = await world.firings(actor, id)
  expect(firings.map(({ status }) => status)).toEqual([
    ...Array.from({ length: MOST_IN_A_ROW }, () => 'started'),
    'failed',
  ])
  const told = await world.events(actor, 'trigger.failed')
  expect(told.map(({ data }) => Object(data).error.code)).toEqual(['TRIGGER_CHAIN_TOO_LONG'])
})

test('a sub-run counts as its parent does, and so does an event that a run says it published', async () => {
  const { id } = await on('com.loop')
  await publish({ type: 'com.loop', id: 'begin' })
  await react()
  for (let turn = 0; turn < MOST_IN_A_ROW + 3; turn++) {
    const [latest] = (await world.runs(actor)).slice(-1)
    // The run's sub-run says it published.
    const [sub] = await world.database.inTenant(actor, (tx) =>
      tx.sql<{ id: string }>(
        `insert into run (organization_id, workflow_id, version_id, status, input, started_by, parent_run_id, depth)
         select organization_id, workflow_id, version_id, 'completed', '{}', started_by, id, 1 from run where id = $1::uuid
         returning id`,
        latest?.id,
      ),
    )
    await publish({ type: 'com.loop', id: `${turn}`, runId: sub?.id })
    await react()
    if ((await world.firings(actor, id)).some(({ status }) => status === 'failed')) break
  }
  const firings = await world.firings(actor, id)
  expect(firings.filter(({ status }) => status === 'started')).toHaveLength(MOST_IN_A_ROW)
  expect(firings.at(-1)).toMatchObject({ status: 'failed', error: { code: 'TRIGGER_CHAIN_TOO_LONG' } })
})

describe('an event that an integrator publishes', () => {
  test('is in the log once for its source and id', async () => {
    const event = { id: '7', subject: 'orders/7', data: { total: 3.5 }, time: '2026-05-01T10:00:00Z' }
    const results = await Promise.all([publish(event), publish(event), publish(event)])
    expect(results.filter(({ data }) => Object(data['publishEvent']).created)).toHaveLength(1)
    expect(await publish({ ...event, data: { total: 4 } })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      extensions: { argument: 'input.id' },
    })
    expect((await publish({ ...event, source: '/other' })).data).toEqual({
      publishEvent: { id: '7', created: true },
    })
    const [first, ...others] = await world.events(actor, 'integration.event')
    expect(others).toHaveLength(1)
    expect(first).toMatchObject({
      subject: 'event/7',
      actor: { id: actor.id },
      data: {
        type: 'com.shop.order.created',
        source: '/shop',
        id: '7',
        subject: 'orders/7',
        data: { total: 3.5 },
        time: '2026-05-01T10:00:00.000Z',
        runId: null,
      },
    })
  })

  test('is seen by its own attributes', async () => {
    const { id } = await on('com.shop.order.created', {
      filter: 'event.source == "/shop" && event.data.total > 3',
      expressions: { seen: 'event' },
    })
    const time = '2026-05-01T10:00:00.000Z'
    await publish({ id: 'a', subject: 's', data: { total: 9 }, time })
    await publish({ id: 'b', data: { total: 1 } })
    await publish({ id: 'c' })
    await react()
    expect(await inputs(id)).toMatchObject([
      {
        seen: {
          id: 'a',
          type: 'com.shop.order.created',
          source: '/shop',
          subject: 's',
          data: { total: 9 },
          time,
        },
      },
    ])
  })

  test.each([
    [{ type: 'run.completed' }, ['input.type']],
    [{ type: 'integration.event' }, ['input.type']],
    [{ type: 'task.mine', source: '', id: '' }, ['input.type', 'input.source', 'input.id']],
    [{ type: 'no type' }, ['input.type']],
    [{ data: { a: 'nu\0l' }, subject: 'a\0b' }, ['input.data', 'input.subject']],
    [{ data: 'x'.repeat(5_000_000) }, ['input.data']],
    [{ runId: 'x' }, ['input.runId']],
  ])('%o is refused, with all mistakes', async (input, paths) => {
    const { code, extensions } = await publish(input)
    expect(code).toBe('BAD_INPUT')
    expect(extensions.problems?.map(({ path }) => path).sort()).toEqual(paths.sort())
  })

  test('names no run of another organization', async () => {
    const stranger = await world.organization()
    const theirs = await world.ask(
      actor,
      'mutation($id: ID!) { startRun(input: { workflowId: $id, input: {} }) { run { id } } }',
      { id: workflowId },
    )
    const { run } = Object(theirs.data['startRun'])
    expect((await publish({ runId: run.id }, stranger)).code).toBe('NOT_FOUND')
    expect((await publish({ runId: crypto.randomUUID() }, stranger)).code).toBe('NOT_FOUND')
    expect((await publish({ data: 'x'.repeat(1_000_000) })).code).toBeNull()
  })
})

describe('a run that waits for an event', () => {
  const waitFor = (filter?: string): WorkflowNode[] => [
    {
      id: 'paid',
      kind: 'wait',
      for: { type: 'event', event: 'com.shop.order.paid', ...(filter === undefined ? {} : { filter }) },
      output: 'payment',
    },
    { id: 'rest', kind: 'wait', for: { type: 'duration', ms: 10 ** 10 } },
  ]
  const start = async (flow: string, input: Record<string, unknown> = {}) => {
    const { data } = await world.ask(
      actor,
      'mutation($id: ID!, $input: JSON!) { startRun(input: { workflowId: $id, input: $input }) { run { id } } }',
      { id: flow, input },
    )
    return Object(data['startRun']).run.id as string
  }
  const strands = () =>
    world.database.readTenant<{
      runId: string
      status: string
      resume: { type: string; payload: object } | null
    }>(
      actor,
      `select run_id as "runId", status, resume from strand where organization_id = $1 order by run_id`,
      [actor.organizationId],
    )
  const paid = (data: object, id: string = crypto.randomUUID()) =>
    publish({ type: 'com.shop.order.paid', id, data })

  test('is woken by the first that its filter takes, which reads the run’s names too', async () => {
    const flow = await world.workflow(actor, { nodes: waitFor('event.data.order == order') })
    const [a, b] = [await start(flow, { order: 1 }), await start(flow, { order: 2 })]
    await react()
    expect(await strands()).toMatchObject([{ status: 'waiting' }, { status: 'waiting' }])
    await paid({ order: 2 })
    await react()
    expect(await strands()).toMatchObject([
      { runId: a, status: 'waiting' },
      {
        runId: b,
        status: 'ready',
        resume: {
          type: 'wait_over',
          node: 'paid',
          payload: { type: 'com.shop.order.paid', data: { order: 2 } },
        },
      },
    ])
  })

  test('hears of nothing that was before it waited', async () => {
    const flow = await world.workflow(actor, { nodes: waitFor() })
    await paid({})
    // Times are kept in milliseconds: in the same one, who was first is not known, and the wait is given it.
    await new Promise((resolve) => setTimeout(resolve, 5))
    await start(flow)
    await react(0n)
    await react(0n)
    expect(await strands()).toMatchObject([{ status: 'waiting' }])
    await paid({})
    await react()
    expect(await strands()).toMatchObject([{ status: 'ready' }])
  })

  test('wakes once for an event that is handled again', async () => {
    const flow = await world.workflow(actor, { nodes: waitFor() })
    await start(flow)
    await react()
    await paid({})
    await Promise.all([react(0n), react(0n)])
    const [{ fence: first } = {}] = await world.database.readTenant<{ fence: bigint }>(
      actor,
      'select fence from strand where organization_id = $1',
      [actor.organizationId],
    )
    await react(0n)
    const [{ fence: second } = {}] = await world.database.readTenant<{ fence: bigint }>(
      actor,
      'select fence from strand where organization_id = $1',
      [actor.organizationId],
    )
    expect(second).toBe(first)
  })
})
