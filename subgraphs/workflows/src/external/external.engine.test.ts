import { openTail } from '@tutti/prisma'
import { createLog } from '@tutti/runtime'
import { type Actor, TuttiError } from '@tutti/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentKey, mutate } from '../testing/mutate.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { claimTasks } from './claim-tasks.ts'
import { completeTask } from './complete-task.ts'
import { failTask } from './fail-task.ts'
import { tasksAvailable } from './tasks-available.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

interface Claimed {
  id: string
  token: string
  step: string
  attempt: number
  input: Record<string, unknown>
  idempotencyKey: string
  progress: { percent: number } | null
  run: { id: string }
}

const CLAIMED =
  'id token step attempt input idempotencyKey workflowName deadline progress { percent } run { id }'

/** An organization whose external agents are `ada`, who translates, and `bob`; and a worker process that hands out. */
async function organization(): Promise<{ actor: Actor } & AsyncDisposable> {
  const actor = await engine.organization('ada', 'bob')
  await change(
    actor,
    `update agent set executor = '{"type": "external", "settings": {}, "files": {}}',
       capabilities = case name when 'ada' then '{translation}'::text[] else '{}' end where organization_id = $1`,
  )
  const worker = engine.work(actor, async () => ({ type: 'waiting', approvalId: null }))
  return { actor, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() }
}

const change = (actor: Actor, text: string) =>
  engine.world.database.transact(actor, (client) => client.query(text, [actor.organizationId]))

const call = <T>(actor: Actor, mutation: string, input: object, selection: string): Promise<T> =>
  mutate(engine, actor, { mutation, input, selection })

const claim = async (actor: Actor, input: object = {}): Promise<Claimed[]> =>
  (await call<{ tasks: Claimed[] }>(actor, 'claimTasks', input, `tasks { ${CLAIMED} }`)).tasks
const complete = (actor: Actor, { token }: Claimed, output: unknown, more: object = {}) =>
  call(actor, 'completeTask', { token, output, ...more }, 'task { id }')
const beat = (actor: Actor, { token }: Claimed) =>
  call<{ stop: string | null; leaseUntil: string | null }>(
    actor,
    'heartbeatTask',
    { token },
    'stop leaseUntil',
  )

/** As soon as there is one. */
async function claimOne(actor: Actor): Promise<Claimed> {
  let found: Claimed | undefined
  await expect.poll(async () => ([found] = await claim(actor)).length, { timeout: 20_000 }).toBe(1)
  if (!found) throw new Error('Nothing was there.')
  return found
}

const document = (more = '', after = '') => `
format: tutti/1
name: translating
inputs: [text]
steps:
  - name: translate
    agent: ada
    input: text
    output: translated
    ${more}
${after}
`

async function endOf(actor: Actor, id: string) {
  await engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)
  const [run] = await engine.rows<{ status: string; output: unknown; error: unknown; cost: string }>(
    actor,
    'select status, output, error, cost_usd as cost from run where organization_id = $1 and id = $2',
    [id],
  )
  return run
}

const lapse = (actor: Actor) =>
  change(
    actor,
    `update board_item set lease_until = clock_timestamp() - interval '1 second' where organization_id = $1`,
  )

describe('a task of an external agent', () => {
  test('waits for its worker, whose answer the run goes on with, and whose cost is counted', async () => {
    await using org = await organization()
    const { actor } = org
    const id = await engine.start(actor, document(), { text: 'Guten Tag' })
    const ada = agentKey(actor, 'ada')
    const task = await claimOne(ada)
    expect(task).toMatchObject({
      step: 'translate',
      attempt: 1,
      input: { text: 'Guten Tag' },
      workflowName: 'translating',
      deadline: expect.any(String),
      progress: null,
      run: { id },
    })
    const { runState } = await engine.ask<{ runState: { waits: object[] } }>(
      actor,
      'query ($id: ID!) { runState(id: $id) { waits { path for name } } }',
      { id },
    )
    expect(runState.waits).toEqual([{ path: 'translate', for: 'WORKER', name: 'ada' }])
    expect(await claim(ada)).toEqual([])
    expect(await call(ada, 'claimBoardItems', {}, 'items { id }')).toEqual({ items: [] })
    await complete(ada, task, 'Good day', { costUsd: 0.25 })
    expect(await endOf(actor, id)).toMatchObject({
      status: 'completed',
      output: { outputs: { translated: 'Good day' } },
      cost: '0.250000',
    })
    // Told again, as when the answer was lost on its way.
    await complete(ada, task, 'Good day')
    const events = await engine.rows<{ type: string }>(
      actor,
      // Whether it was ready before it was started depends on who took it up.
      `select type from log.event where organization_id = $1 and type like 'task.%' and type <> 'task.ready' order by seq`,
    )
    expect(events.map(({ type }) => type)).toEqual([
      'task.started',
      'task.waiting',
      'task.claimed',
      'task.completed',
    ])
  })

  test('that failed is tried again by the rules of its step, with the same key and what was reported', async () => {
    await using org = await organization()
    const { actor } = org
    const id = await engine.start(actor, document('retry: { attempts: 2, delay: 0s }'))
    const ada = agentKey(actor, 'ada')
    const first = await claimOne(ada)
    await call(ada, 'reportProgress', { token: first.token, percent: 40 }, 'task { id }')
    const failure = { code: 'NO_MODEL', message: 'It is loading.', retryable: true, retryAfterMs: 1 }
    await call(ada, 'failTask', { token: first.token, ...failure }, 'task { id }')
    const second = await claimOne(ada)
    expect(second).toMatchObject({ attempt: 2, idempotencyKey: first.idempotencyKey })
    expect(second.progress).toEqual({ percent: 40 })
    await expect(
      call(ada, 'reportProgress', { token: first.token, percent: 1 }, 'task { id }'),
    ).rejects.toThrow('STALE_LEASE')
    await call(ada, 'failTask', { token: second.token, ...failure, message: 'Again.' }, 'task { id }')
    expect(await endOf(actor, id)).toMatchObject({
      status: 'failed',
      error: { code: 'NO_MODEL', message: 'Again.' },
    })
  })

  test('that failed for good is not tried again', async () => {
    await using org = await organization()
    const id = await engine.start(org.actor, document('retry: { attempts: 5, delay: 0s }'))
    const { token } = await claimOne(agentKey(org.actor, 'ada'))
    await call(
      agentKey(org.actor, 'ada'),
      'failTask',
      { token, code: 'NO_SUCH_LANGUAGE', message: 'Klingon.' },
      'task { id }',
    )
    expect(await endOf(org.actor, id)).toMatchObject({ error: { code: 'NO_SUCH_LANGUAGE' } })
  })

  test('whose worker was lost is another’s, the same attempt; the late answer is refused', async () => {
    await using org = await organization()
    const { actor } = org
    const id = await engine.start(actor, document())
    const [slow, quick] = [agentKey(actor, 'ada'), { ...agentKey(actor, 'ada'), id: 'another-key' }]
    const first = await claimOne(slow)
    expect(await beat(slow, first)).toMatchObject({ stop: null, leaseUntil: expect.any(String) })
    await lapse(actor)
    await expect(complete(slow, first, 'slow')).rejects.toThrow('STALE_LEASE')
    const second = await claimOne(quick)
    expect(second).toMatchObject({ id: first.id, attempt: 1, idempotencyKey: first.idempotencyKey })
    await expect(complete(slow, first, 'slow')).rejects.toThrow('STALE_LEASE')
    await expect(complete(slow, second, 'slow')).rejects.toThrow('STALE_LEASE')
    expect(await beat(slow, first)).toEqual({ stop: 'TAKEN', leaseUntil: null })
    await complete(quick, second, 'quick')
    expect(await endOf(actor, id)).toMatchObject({ output: { outputs: { translated: 'quick' } } })
    await expect(complete(slow, first, 'slow')).rejects.toThrow('STALE_LEASE')
  })

  test('that loses its worker ever again fails, as the engine has it', async () => {
    await using org = await organization()
    const { actor } = org
    const id = await engine.start(actor, document('retry: { attempts: 3, delay: 0s }'))
    const ada = agentKey(actor, 'ada')
    for (let n = 0; n < 8; n += 1) {
      await claimOne(ada)
      await lapse(actor)
    }
    expect(await claim(ada)).toEqual([])
    expect(await endOf(actor, id)).toMatchObject({ status: 'failed', error: { code: 'WORKER_LOST' } })
  })

  test('that is governed goes to the gate again before each claim: the same attempt, with its losses', async () => {
    await using org = await organization()
    const { actor } = org
    const id = await engine.start(actor, document())
    const ada = agentKey(actor, 'ada')
    const first = await claimOne(ada)
    // As when the gate has let it through, an hour ago.
    await change(actor, `update task set given = '{"text": "approved"}' where organization_id = $1`)
    const lost = async (): Promise<void> => {
      await lapse(actor)
      await change(
        actor,
        `update board_item set created_at = now() - interval '1 hour' where organization_id = $1`,
      )
    }
    for (let n = 0; n < 7; n += 1) {
      await lost()
      expect(await claimOne(ada)).toMatchObject({ id: first.id, attempt: 1, input: { text: 'approved' } })
      await expect(complete(ada, first, 'late')).rejects.toThrow('STALE_LEASE')
    }
    const events = await engine.rows<{ type: string }>(
      actor,
      `select type from log.event where organization_id = $1 and type like 'task.%' order by seq`,
    )
    const told = events.map(({ type }) => type)
    expect(told.slice(-4)).toEqual(['task.ready', 'task.started', 'task.waiting', 'task.claimed'])
    expect(told.filter((type) => type === 'task.released')).toHaveLength(7)
    await lost()
    expect(await claim(ada)).toEqual([])
    expect(await endOf(actor, id)).toMatchObject({ status: 'failed', error: { code: 'WORKER_LOST' } })
  })

  test('is not given out when its run is paused or its time is over, and ends with its run', async () => {
    await using org = await organization()
    const { actor } = org
    const ada = agentKey(actor, 'ada')
    const id = await engine.start(actor, document())
    const task = await claimOne(ada)
    await call(actor, 'pauseRun', { id }, 'run { status }')
    expect(await beat(ada, task)).toMatchObject({ stop: 'PAUSED', leaseUntil: expect.any(String) })
    await call(ada, 'releaseTask', { token: task.token }, 'task { id }')
    expect(await claim(ada)).toEqual([])
    await call(actor, 'resumeRun', { id }, 'run { status }')
    const again = await claimOne(ada)
    await call(actor, 'cancelRun', { id }, 'run { status }')
    expect(await beat(ada, again)).toEqual({ stop: 'CANCELLED', leaseUntil: null })
    await expect(complete(ada, again, 'late')).rejects.toThrow('STALE_LEASE')

    const late = await engine.start(actor, document('timeout: 1ms\n    retry: { attempts: 1 }'))
    expect(await endOf(actor, late)).toMatchObject({ error: { code: 'STEP_TIMED_OUT' } })
    expect(await claim(ada)).toEqual([])
  })

  test('is taken back by an order to stop, and given out again when it is lifted', async () => {
    await using org = await organization()
    const { actor } = org
    const ada = agentKey(actor, 'ada')
    const id = await engine.start(actor, document())
    const task = await claimOne(ada)
    const [agent] = await engine.rows<{ id: string }>(
      actor,
      `select id from agent where organization_id = $1 and name = 'ada'`,
    )
    const { containment } = await call<{ containment: { id: string } }>(
      actor,
      'contain',
      { scope: 'AGENT', id: agent?.id, reason: 'test' },
      'containment { id }',
    )
    expect(await beat(ada, task)).toEqual({ stop: 'CONTAINED', leaseUntil: null })
    await expect(complete(ada, task, 'late')).rejects.toThrow('STALE_LEASE')
    expect(await claim(ada)).toEqual([])
    await call(actor, 'liftContainment', { id: containment.id }, 'containment { id }')
    const again = await claimOne(ada)
    await expect(complete(ada, task, 'late')).rejects.toThrow('STALE_LEASE')
    await complete(ada, again, 'in time')
    expect(await endOf(actor, id)).toMatchObject({ output: { outputs: { translated: 'in time' } } })
  })

  test('that is reassigned is its new agent’s alone', async () => {
    await using org = await organization()
    const { actor } = org
    const [ada, bob] = [agentKey(actor, 'ada'), agentKey(actor, 'bob')]
    const id = await engine.start(actor, document())
    const task = await claimOne(ada)
    const [to] = await engine.rows<{ id: string }>(
      actor,
      `select id from agent where organization_id = $1 and name = 'bob'`,
    )
    await call(actor, 'reassignTask', { id: task.id, agentId: to?.id }, 'task { id }')
    const other = await claimOne(bob)
    await expect(complete(ada, task, 'late')).rejects.toThrow('STALE_LEASE')
    expect(await claim(ada)).toEqual([])
    await complete(bob, other, 'by bob')
    expect(await endOf(actor, id)).toMatchObject({ output: { outputs: { translated: 'by bob' } } })
  })

  test('that is completed by hand is over for its worker', async () => {
    await using org = await organization()
    const ada = agentKey(org.actor, 'ada')
    const id = await engine.start(org.actor, document())
    const task = await claimOne(ada)
    await call(org.actor, 'completeTaskByHand', { id: task.id, output: 'by hand' }, 'task { id }')
    await expect(complete(ada, task, 'late')).rejects.toThrow('STALE_LEASE')
    expect(await endOf(org.actor, id)).toMatchObject({ output: { outputs: { translated: 'by hand' } } })
  })
})

describe('workers', () => {
  const MANY = `
format: tutti/1
name: many
inputs: [texts]
steps:
  - { name: each, over: texts, as: text, output: all, steps: [{ name: work, agent: ada, input: text }] }
`

  test('20 at once do 60 items of a list, each once', async () => {
    await using org = await organization()
    const { actor } = org
    const texts = Array.from({ length: 60 }, (_, n) => `t${n}`)
    const id = await engine.start(actor, MANY, { texts })
    const done: string[] = []
    const worker = async (index: number): Promise<void> => {
      const own = { ...agentKey(actor, 'ada'), id: `key-${index}` }
      while (done.length < texts.length)
        for (const task of await claim(own, { most: 3 })) {
          await complete(own, task, `${String(task.input['text'])}!`)
          done.push(task.id)
        }
    }
    await Promise.all(Array.from({ length: 20 }, (_, index) => worker(index)))
    expect(await endOf(actor, id)).toMatchObject({
      output: { outputs: { all: texts.map((text) => `${text}!`) } },
    })
    expect(new Set(done).size).toBe(texts.length)
  })

  test('together claim no more than their agent may do at once; what lapsed holds no place', async () => {
    await using org = await organization()
    const { actor } = org
    const texts = Array.from({ length: 6 }, (_, n) => `t${n}`)
    await engine.start(actor, MANY, { texts })
    await expect
      .poll(() => engine.rows(actor, `select from board_item where organization_id = $1`))
      .toHaveLength(6)
    const [ada] = await engine.rows<{ id: string }>(
      actor,
      `select id from agent where organization_id = $1 and name = 'ada'`,
    )
    await call(actor, 'setLimit', { name: 'slots', agentId: ada?.id, maxRunning: 2 }, 'limit { name }')
    const key = (index: number) => ({ ...agentKey(actor, 'ada'), id: `key-${index}` })
    const claims = () => Promise.all([1, 2, 3, 4].map((index) => claim(key(index), { most: 3 })))
    const first = (await claims()).flat()
    expect(first).toHaveLength(2)
    expect((await claims()).flat()).toEqual([])
    await lapse(actor)
    const again = await claims()
    expect(again.flat().map(({ id }) => id)).toEqual(first.map(({ id }) => id))
    const [taken] = again.flat()
    const owner = again.findIndex((tasks) => tasks.length > 0) + 1
    if (taken) await complete(key(owner), taken, 'done')
    // Its place is free when the engine has taken the result up.
    let more = 0
    await expect.poll(async () => (more += (await claims()).flat().length), { timeout: 20_000 }).toBe(1)
    expect((await claims()).flat()).toEqual([])
  })

  test('claim for their own agent alone; others say for which, or what it can do', async () => {
    await using org = await organization()
    const { actor } = org
    await engine.start(actor, document())
    const bob = agentKey(actor, 'bob')
    await expect(claim(bob, { agent: 'ada' })).rejects.toThrow('NOT_FOUND')
    await expect(claim(agentKey(actor, 'nobody'))).rejects.toThrow('NOT_FOUND')
    await expect(claim(actor)).rejects.toThrow('BAD_INPUT')
    await expect(claim(actor, { agent: 'nobody' })).rejects.toThrow('NOT_FOUND')
    await expect.poll(async () => (await claim(actor, { capabilities: ['translation'] })).length).toBe(1)
    expect(await claim(bob)).toEqual([])
    await expect(claim(actor, { capabilities: ['cooking'] })).rejects.toThrow('NOT_FOUND')
  })

  test('are told all their mistakes at once', async () => {
    await using org = await organization()
    const { database, secret } = engine.world
    const services = { database, secret, wake: () => undefined }
    const pathsOf = (work: Promise<unknown>) =>
      work.then(
        () => [],
        (error: unknown) => (error instanceof TuttiError ? error.problems?.map(({ path }) => path) : error),
      )
    const many = { agent: 'a\0', most: 101, leaseSeconds: 3_601 }
    expect(await pathsOf(claimTasks(services, org.actor, many))).toEqual([
      'input.agent',
      'input.most',
      'input.leaseSeconds',
    ])
    expect(
      await pathsOf(completeTask(services, org.actor, { token: 'no.token', output: '\0', costUsd: -1 })),
    ).toEqual(['input.token', 'input.output', 'input.costUsd'])
    expect(
      await pathsOf(
        failTask(services, org.actor, { token: '', code: 'no', message: '\0', retryAfterMs: -1 }),
      ),
    ).toEqual(['input.token', 'input.code', 'input.message', 'input.retryAfterMs'])
  })

  test('hear of work at once, of much together, and go on from a cursor', async () => {
    await using org = await organization()
    const { actor } = org
    const leaving = new AbortController()
    const { database, secret } = engine.world
    await using tail = await openTail(database)
    const services = { database, tail, secret, wake: () => undefined, log: createLog('test', 'silent') }
    const context = { ...services, actor: agentKey(actor, 'ada'), signal: leaving.signal }
    const feed = tasksAvailable(context, {})
    const first = feed.next()
    const texts = Array.from({ length: 200 }, (_, n) => `t${n}`)
    await engine.start(actor, MANY, { texts })
    const told = (await first).value
    expect(told?.cursor).toEqual(expect.any(String))
    await expect
      .poll(async () => (await claim(agentKey(actor, 'ada'), { most: 100 })).length, { timeout: 10_000 })
      .toBeGreaterThan(0)
    // From the beginning: what is of the past comes as one.
    const past = tasksAvailable(context, { after: '0'.repeat(13) })
    const all = (await past.next()).value
    expect(all && told && all.cursor >= told.cursor).toBe(true)
    // Of others' work nothing is heard.
    const others = tasksAvailable({ ...context, actor: agentKey(actor, 'bob') }, { after: '0'.repeat(13) })
    const nothing = others.next()
    await expect(tasksAvailable(context, { after: 'no cursor' }).next()).rejects.toThrow(TuttiError)
    leaving.abort()
    expect((await nothing).done).toBe(true)
    expect((await Array.fromAsync(feed)).length).toBeLessThan(20)
    await past.return(undefined)
  })
})
