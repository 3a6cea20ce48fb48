import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentKey, mutate } from '../testing/mutate.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { testWorkflow } from '../test-runs/test-workflow.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

interface Item {
  id: string
  status: string
  fence: number
  input: Record<string, unknown>
  output: unknown
  agent: { id: string } | null
}

const ITEM = 'id status fence input output agent { id }'

const change = (actor: Actor, text: string) =>
  engine.world.database.transact(actor, (client) => client.query(text, [actor.organizationId]))

/** An organization whose agent `ada` can search and write, and `bob` search. */
async function organization(): Promise<Actor> {
  const actor = await engine.organization('ada', 'bob')
  await change(
    actor,
    `update agent set capabilities = case name when 'ada' then '{search,write}'::text[] else '{search}' end
     where organization_id = $1`,
  )
  return actor
}

const call = <T>(actor: Actor, mutation: string, input: object, selection: string): Promise<T> =>
  mutate(engine, actor, { mutation, input, selection })

const claim = async (actor: Actor, input: object = {}): Promise<Item[]> =>
  (await call<{ items: Item[] }>(actor, 'claimBoardItems', input, `items { ${ITEM} }`)).items

const end = async (actor: Actor, how: 'complete' | 'fail' | 'release', input: object): Promise<Item> =>
  (await call<{ item: Item }>(actor, `${how}BoardItem`, input, `item { ${ITEM} }`)).item

const post = async (actor: Actor, input: Record<string, unknown>, capability = 'search'): Promise<Item> =>
  (await call<{ item: Item }>(actor, 'postToBoard', { capability, input }, `item { ${ITEM} }`)).item

const document = (more = '', after = '') => `
format: tutti/1
name: research
inputs: [topic]
steps:
  - name: ask
    board: search
    input: topic
    output: found
    ${more}
  - { name: tell, set: { told: found } }
${after}
`

const idOf = ({ id, fence }: Item) => ({ id, fence })

async function endOf(
  actor: Actor,
  runId: string,
): Promise<{ status: string; output: unknown; error: unknown }> {
  await engine.event(
    actor,
    /^run\.(completed|failed|cancelled)$/,
    ({ subject }) => subject === `run/${runId}`,
  )
  const { run } = await engine.ask<{ run: { status: string; output: unknown; error: unknown } }>(
    actor,
    'query ($id: ID!) { run(id: $id) { status output error { code message } } }',
    { id: runId },
  )
  return run
}

const posted = (actor: Actor) => engine.event(actor, /^board\.posted$/)
const items = async (actor: Actor): Promise<Item[]> =>
  (await engine.ask<{ boardItems: { nodes: Item[] } }>(actor, `{ boardItems { nodes { ${ITEM} } } }`))
    .boardItems.nodes

/** As if the lease had run out: nobody waits for the clock. */
const lapse = (actor: Actor) =>
  change(
    actor,
    `update board_item set lease_until = clock_timestamp() - interval '1 second' where organization_id = $1`,
  )

describe('a step that posts to the board', () => {
  test('waits until a peer has done its item, and goes on with the result', async () => {
    const actor = await organization()
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
    const run = await engine.start(actor, document(), { topic: 'tides' })
    await posted(actor)
    expect(
      await engine.ask(actor, 'query ($id: ID!) { runState(id: $id) { waits { path for name } } }', {
        id: run,
      }),
    ).toEqual({ runState: { waits: [{ path: 'ask', for: 'PEER', name: 'search' }] } })
    const [item, ...others] = await claim(agentKey(actor, 'bob'), { most: 5 })
    expect(others).toEqual([])
    expect(item).toMatchObject({ status: 'CLAIMED', fence: 1, input: { topic: 'tides' } })
    if (!item) return
    const done = await end(agentKey(actor, 'bob'), 'complete', { ...idOf(item), output: { pages: 3 } })
    expect(done).toMatchObject({
      status: 'COMPLETED',
      output: { pages: 3 },
      agent: { id: expect.any(String) },
    })
    expect(await endOf(actor, run)).toMatchObject({
      status: 'COMPLETED',
      output: { outputs: { found: { pages: 3 }, told: { pages: 3 } } },
    })
    const events = await engine.rows<{ type: string }>(
      actor,
      `select type from log.event where organization_id = $1 and type like 'board.%' order by seq`,
    )
    expect(events.map(({ type }) => type)).toEqual(['board.posted', 'board.claimed', 'board.completed'])
  })

  test('has failed when a peer gives its item up for good', async () => {
    const actor = await organization()
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
    const run = await engine.start(actor, document())
    await posted(actor)
    const [item] = await claim(actor, { capabilities: ['search'] })
    if (!item) throw new Error('Nothing was there.')
    await end(actor, 'fail', { ...idOf(item), code: 'NO_SOURCES', message: 'There are none.' })
    expect(await endOf(actor, run)).toMatchObject({
      status: 'FAILED',
      error: { code: 'NO_SOURCES', message: 'There are none.' },
    })
  })

  test('takes only what fits its schema; the peer may mend it', async () => {
    const actor = await organization()
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
    const run = await engine.start(actor, document('schema: { type: object, required: [pages] }'))
    await posted(actor)
    const [item] = await claim(actor, { capabilities: ['search'] })
    if (!item) throw new Error('Nothing was there.')
    await expect(end(actor, 'complete', { ...idOf(item), output: {} })).rejects.toThrow('BAD_INPUT')
    await end(actor, 'complete', { ...idOf(item), output: { pages: 1 } })
    expect(await endOf(actor, run)).toMatchObject({ status: 'COMPLETED' })
  })

  test('withdraws its item when its run is cancelled, and when its time is over', async () => {
    const actor = await organization()
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
    const run = await engine.start(actor, document())
    await posted(actor)
    const [item] = await claim(actor, { capabilities: ['search'] })
    if (!item) throw new Error('Nothing was there.')
    await call(actor, 'cancelRun', { id: run }, 'run { status }')
    await expect(end(actor, 'complete', { ...idOf(item), output: 1 })).rejects.toThrow('STALE_LEASE')
    expect(await items(actor)).toMatchObject([{ status: 'WITHDRAWN' }])

    const late = await engine.start(
      actor,
      document('timeout: 1ms\n    if_expired: late', `  - { name: late, set: { missed: true } }`),
    )
    expect(await endOf(actor, late)).toMatchObject({ output: { outputs: { missed: true } } })
    expect(await items(actor)).toMatchObject([{ status: 'WITHDRAWN' }, { status: 'WITHDRAWN' }])
    expect(await claim(actor, { capabilities: ['search'] })).toEqual([])
  })

  test('of a paused run is left alone by peers, and goes on when the run does', async () => {
    const actor = await organization()
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
    const run = await engine.start(actor, document())
    await posted(actor)
    await call(actor, 'pauseRun', { id: run }, 'run { status }')
    expect(await claim(actor, { capabilities: ['search'] })).toEqual([])
    await call(actor, 'resumeRun', { id: run }, 'run { status }')
    const [item] = await claim(actor, { capabilities: ['search'] })
    if (!item) throw new Error('Nothing was there.')
    await call(actor, 'pauseRun', { id: run }, 'run { status }')
    await end(actor, 'complete', { ...idOf(item), output: 'done' })
    await call(actor, 'resumeRun', { id: run }, 'run { status }')
    expect(await endOf(actor, run)).toMatchObject({ output: { outputs: { told: 'done' } } })
  })

  test('posts an item for every turn and every item of a list, each its own', async () => {
    const actor = await organization()
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
    const run = await engine.start(
      actor,
      `
format: tutti/1
name: many
inputs: [topics]
steps:
  - { name: each, over: topics, as: topic, output: all, steps: [{ name: ask, board: search, input: topic }] }
`,
      { topics: ['a', 'b', 'c'] },
    )
    const done = new Set<string>()
    await expect
      .poll(async () => {
        for (const item of await claim(actor, { capabilities: ['search'], most: 3 })) {
          done.add(item.id)
          await end(actor, 'complete', { ...idOf(item), output: `${String(item.input['topic'])}!` })
        }
        return done.size
      })
      .toBe(3)
    expect(await endOf(actor, run)).toMatchObject({ output: { outputs: { all: ['a!', 'b!', 'c!'] } } })
  })

  test('is answered in a test of its workflow by a signal of the name of the capability', async () => {
    const result = await testWorkflow(document(), {
      input: { topic: 'tides' },
      signals: [{ name: 'search', payload: 7 }],
    })
    expect(result).toMatchObject({ status: 'completed', output: { outputs: { told: 7 } } })
  })
})

test('a result and a cancellation at the same moment come to one end, and both hold', async () => {
  const actor = await organization()
  await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
  const runs = await Promise.all(Array.from({ length: 12 }, () => engine.start(actor, document())))
  const claimed: Item[] = []
  await expect
    .poll(async () => claimed.push(...(await claim(actor, { capabilities: ['search'], most: 12 }))))
    .toBe(runs.length)
  const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message.split(':')[0] : 'unknown'),
    )
  const [completions, cancellations] = await Promise.all([
    Promise.all(claimed.map((item) => codeOf(end(actor, 'complete', { ...idOf(item), output: 'done' })))),
    Promise.all(runs.map((id) => codeOf(call(actor, 'cancelRun', { id }, 'run { status }')))),
  ])
  for (const code of completions) expect(['done', 'STALE_LEASE']).toContain(code)
  // A run that had completed by then is not cancelled.
  for (const code of cancellations) expect(['done', 'INVALID_STATE']).toContain(code)
  for (const id of runs) await endOf(actor, id)
  const rows = await engine.rows<{ item: string; run: string; told: string | null }>(
    actor,
    `select i.status as item, r.status as run, r.output->'outputs'->>'told' as told from board_item i
     join run r on r.organization_id = i.organization_id and r.id = i.run_id where i.organization_id = $1`,
  )
  for (const { item, run, told } of rows) {
    // Done, and then cancelled before its run went on, is the one mixture there may be.
    if (run === 'completed') expect([item, told]).toEqual(['completed', 'done'])
    else expect(['completed', 'withdrawn']).toContain(item)
  }
  expect(rows).toHaveLength(runs.length)
})

describe('peers', () => {
  test('20 at once take 100 items, each item once', async () => {
    const actor = await organization()
    for (let n = 0; n < 100; n += 1) await post(actor, { n })
    const peer = async (index: number): Promise<number[]> => {
      const own = { ...actor, id: `peer-${index}` }
      const mine: number[] = []
      for (;;) {
        const taken = await claim(own, { capabilities: ['search'], most: 3 })
        if (taken.length === 0) return mine
        for (const item of taken) {
          await end(own, 'complete', { ...idOf(item), output: index })
          mine.push(Number(item.input['n']))
        }
      }
    }
    const taken = await Promise.all(Array.from({ length: 20 }, (_, index) => peer(index)))
    expect(taken.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    const [count] = await engine.rows<{ claims: number; done: number }>(
      actor,
      `select sum(fence)::int as claims, count(*) filter (where status = 'completed')::int as done
       from board_item where organization_id = $1`,
    )
    expect(count).toEqual({ claims: 100, done: 100 })
  })

  test('that did not end in time lose their claim to the next, and are refused', async () => {
    const actor = await organization()
    const [slow, quick] = [agentKey(actor, 'ada'), agentKey(actor, 'bob')]
    await post(actor, {})
    const [first] = await claim(slow)
    if (!first) throw new Error('Nothing was there.')
    expect(await claim(quick)).toEqual([])
    await lapse(actor)
    expect(await items(actor)).toMatchObject([{ status: 'OPEN', agent: null }])
    const own = { ...idOf(first), output: 'slow' }
    await expect(end(slow, 'complete', own)).rejects.toThrow('STALE_LEASE')
    const [second] = await claim(quick)
    expect(second).toMatchObject({ id: first.id, fence: 2 })
    if (!second) return
    await expect(end(slow, 'complete', own)).rejects.toThrow('STALE_LEASE')
    await expect(end(slow, 'complete', { ...own, fence: 2 })).rejects.toThrow('STALE_LEASE')
    await expect(end(slow, 'release', idOf(first))).rejects.toThrow('STALE_LEASE')
    expect(await call(slow, 'renewBoardItems', { claims: [idOf(first)] }, 'lost items { id }')).toEqual({
      lost: [first.id],
      items: [],
    })
    expect(await end(quick, 'complete', { ...idOf(second), output: 'quick' })).toMatchObject({
      output: 'quick',
    })
    await expect(end(slow, 'complete', own)).rejects.toThrow('STALE_LEASE')
    // Told again, as when the answer was lost on its way.
    expect(await end(quick, 'complete', { ...idOf(second), output: 'quick' })).toMatchObject({
      status: 'COMPLETED',
      output: 'quick',
    })
    const released = await engine.event(actor, /^board\.released$/)
    expect(released.data).toMatchObject({ cause: 'lease', fence: 1 })
  })

  test('keep what they renew, and give back what they release', async () => {
    const actor = await organization()
    const [ada, bob] = [agentKey(actor, 'ada'), agentKey(actor, 'bob')]
    await post(actor, {})
    const [item] = await claim(ada, { leaseSeconds: 5 })
    if (!item) throw new Error('Nothing was there.')
    const before = await engine.rows<{ until: Date }>(
      actor,
      'select lease_until as until from board_item where organization_id = $1',
    )
    const renewed = await call<{ lost: string[]; items: { leaseUntil: string }[] }>(
      ada,
      'renewBoardItems',
      { claims: [idOf(item)], leaseSeconds: 600 },
      'lost items { leaseUntil }',
    )
    expect(renewed.lost).toEqual([])
    expect(Date.parse(renewed.items[0]?.leaseUntil ?? '')).toBeGreaterThan(
      before[0]?.until.getTime() ?? Infinity,
    )
    expect(await end(ada, 'release', idOf(item))).toMatchObject({ status: 'OPEN', agent: null })
    expect(await claim(bob)).toMatchObject([{ id: item.id, fence: 2 }])
  })

  test('claim what they can do, and for themselves', async () => {
    const actor = await organization()
    const bob = agentKey(actor, 'bob')
    await post(actor, { n: 1 }, 'write')
    expect(await claim(bob, { most: 9 })).toEqual([])
    await expect(claim(bob, { capabilities: ['write'] })).rejects.toThrow('BAD_INPUT')
    const [ada] = await engine.rows<{ id: string }>(
      actor,
      `select id from agent where organization_id = $1 and name = 'ada'`,
    )
    await expect(claim(bob, { agentId: ada?.id })).rejects.toThrow('NOT_FOUND')
    await expect(claim(agentKey(actor, 'nobody'))).rejects.toThrow('NOT_FOUND')
    await expect(claim(actor)).rejects.toThrow('BAD_INPUT')
    await expect(claim(actor, { agentId: 'nobody' })).rejects.toThrow('NOT_FOUND')
    await expect(claim(actor, { capabilities: ['write'], most: 0, leaseSeconds: 1 })).rejects.toThrow(
      'BAD_INPUT',
    )
    expect(await claim(actor, { agentId: ada?.id })).toMatchObject([{ agent: { id: ada?.id } }])
  })

  test('that were ordered to stop are given nothing', async () => {
    const actor = await organization()
    await post(actor, {})
    const [bob] = await engine.rows<{ id: string }>(
      actor,
      `select id from agent where organization_id = $1 and name = 'bob'`,
    )
    await call(actor, 'contain', { scope: 'AGENT', id: bob?.id, reason: 'test' }, 'containment { id }')
    expect(await claim(agentKey(actor, 'bob'))).toEqual([])
    expect(await claim(agentKey(actor, 'ada'))).toHaveLength(1)
  })
})

test('an item is posted once for its key, and refused with another', async () => {
  const actor = await organization()
  const item = { capability: 'search', input: { a: 1, b: 2 }, idempotencyKey: 'once' }
  const first = await call<{ created: boolean }>(actor, 'postToBoard', item, 'created item { id }')
  expect(first).toMatchObject({ created: true })
  const again = { ...item, input: { b: 2, a: 1 } }
  expect(await call(actor, 'postToBoard', again, 'created item { id }')).toEqual({ ...first, created: false })
  await expect(call(actor, 'postToBoard', { ...item, input: {} }, 'created')).rejects.toThrow(
    'IDEMPOTENCY_KEY_REUSED',
  )
  await expect(call(actor, 'postToBoard', { capability: ' ', input: 1 }, 'created')).rejects.toThrow(
    'BAD_INPUT',
  )
})
