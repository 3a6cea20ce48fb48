import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonSchema, WorkflowNode } from '../definitions/index.ts'
import { takeSignals } from '../engine/take-signals.ts'
import { openTriggerWorld, type TriggerWorld } from '../triggers/testing/trigger-world.ts'

let world: TriggerWorld
let actor: Actor

beforeAll(async () => {
  world = await openTriggerWorld()
  actor = await world.organization()
})
afterAll(() => world[Symbol.asyncDispose]())

const schema: JsonSchema = {
  type: 'object',
  properties: { approved: { type: 'boolean' }, amount: { type: 'number', minimum: 1 } },
  required: ['approved'],
}
const waitFor = (name: string, more: { schema?: JsonSchema } = {}): WorkflowNode => ({
  id: name,
  kind: 'wait',
  for: { type: 'signal', name, ...more },
})

async function start(...nodes: WorkflowNode[]): Promise<string> {
  const id = await world.workflow(actor, { nodes })
  const { data } = await world.ask(
    actor,
    'mutation($id: ID!) { startRun(input: { workflowId: $id, input: {} }) { run { id } } }',
    { id },
  )
  return Object(data['startRun']).run.id
}

const signal = (runId: string, name: string, payload?: unknown, idempotencyKey?: string, who = actor) =>
  world.ask(
    who,
    'mutation($input: SignalRunInput!) { signalRun(input: $input) { id created taken run { id } } }',
    { input: { runId, name, payload, idempotencyKey } },
  )
const strandOf = async (runId: string) => {
  const [row] = await world.database.readTenant<{
    id: string
    status: string
    wait_key: string | null
    resume: unknown
    fence: bigint
    epoch: number
  }>(
    actor,
    `select s.id, s.status, s.wait_key, s.resume, s.fence, r.epoch from strand s join run r on r.id = s.run_id
     where s.organization_id = $1 and s.run_id = $2`,
    [actor.organizationId, runId],
  )
  return row
}
/** What the engine does after waits began. */
const take = (ids: string[]) =>
  takeSignals(
    world.database.pool('worker'),
    ids.map((id) => ({ organizationId: actor.organizationId, id })),
  )

test('a signal wakes the wait of its name with its payload, and is in the history', async () => {
  const run = await start(waitFor('go', { schema }))
  const before = await strandOf(run)
  const sent = await signal(run, 'go', { approved: true, amount: 3 })
  expect(sent.data).toMatchObject({ signalRun: { created: true, taken: true, run: { id: run } } })
  const woken = await strandOf(run)
  expect(woken).toMatchObject({
    status: 'ready',
    wait_key: null,
    resume: { type: 'wait_over', node: 'go', payload: { approved: true, amount: 3 } },
    epoch: before?.epoch,
  })
  expect(woken?.fence).toBeGreaterThan(before?.fence ?? 0n)
  const [told] = await world.events(actor, 'run.signalled')
  expect(told).toMatchObject({
    subject: `run/${run}`,
    actor: { id: actor.id },
    data: { name: 'go', runId: run },
  })
})

test('a signal that comes before anything waits for it stays, and a wait that begins takes the oldest', async () => {
  const run = await start(waitFor('first'), waitFor('later'))
  const before = await strandOf(run)
  for (const n of [1, 2]) {
    expect((await signal(run, 'later', { n })).data).toMatchObject({
      signalRun: { created: true, taken: false },
    })
  }
  const after = await strandOf(run)
  expect(after).toMatchObject({ status: 'waiting', wait_key: 'signal:first' })
  // Who was about to begin the wait reads again.
  expect(after?.epoch).toBe((before?.epoch ?? 0) + 2)

  // The strand comes to its second wait.
  await world.database.transact(actor, (client) =>
    client.query(`update strand set wait_key = 'signal:later' where organization_id = $1 and run_id = $2`, [
      actor.organizationId,
      run,
    ]),
  )
  const id = before?.id ?? ''
  const woken = await Promise.all([take([id]), take([id]), take([id])])
  expect(woken.flat()).toEqual([id])
  expect(await strandOf(run)).toMatchObject({ status: 'ready', resume: { payload: { n: 1 } } })
  expect(await take([id])).toEqual([])
  const left = await world.database.readTenant(
    actor,
    'select payload from run_signal where organization_id = $1 and run_id = $2 and taken_at is null',
    [actor.organizationId, run],
  )
  expect(left).toEqual([{ payload: { n: 2 } }])
})

test('of several waits of a name each takes a signal of its own, in the order in which they began', async () => {
  const run = await start(waitFor('go'))
  const first = await strandOf(run)
  // Branches, as they wait side by side.
  const branches = await world.database.transact(actor, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `with tasks as (
         insert into task (organization_id, run_id, step_path, node_id, kind, status, input, timeout_ms)
         select $1, $2, 'branch' || n || '/go', 'go', 'wait', 'waiting', '{}', 0 from generate_series(1, 3) n
         returning id
       )
       insert into strand (organization_id, run_id, workflow_id, parent_id, task_id, status, wait_key)
       select $1, $2, r.workflow_id, $3, t.id, 'waiting', 'signal:go' from tasks t, run r where r.id = $2
       returning id`,
      [actor.organizationId, run, first?.id],
    )
    return rows.map(({ id }) => id)
  })
  const sent = await Promise.all([1, 2].map((n) => signal(run, 'go', n)))
  expect(sent.map(({ data }) => Object(data['signalRun']).taken)).toEqual([true, true])
  const strands = await world.database.readTenant<{ id: string; resume: { payload?: number } }>(
    actor,
    `select id, resume from strand where organization_id = $1 and run_id = $2 and status = 'ready'`,
    [actor.organizationId, run],
  )
  expect(strands).toHaveLength(2)
  expect(new Set(strands.map(({ resume }) => resume.payload))).toEqual(new Set([1, 2]))
  expect(strands.map(({ id }) => id)).toContain(first?.id)
  expect(await take(branches)).toEqual([])
})

test('the same key sends once, and is refused with another payload', async () => {
  const run = await start(waitFor('first'), waitFor('go'))
  const answers = await Promise.all([1, 2, 3, 4].map(() => signal(run, 'go', { a: 1, b: 2 }, 'k')))
  expect(answers.filter(({ data }) => Object(data['signalRun']).created)).toHaveLength(1)
  expect(new Set(answers.map(({ data }) => Object(data['signalRun']).id)).size).toBe(1)
  expect((await signal(run, 'go', { b: 2, a: 1 }, 'k')).code).toBeNull()
  for (const other of [
    await signal(run, 'go', { a: 2 }, 'k'),
    await signal(run, 'first', { a: 1, b: 2 }, 'k'),
  ])
    expect(other).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      extensions: { argument: 'input.idempotencyKey' },
    })
})

test('a payload that does not fit is refused with everything that does not, and nothing is sent', async () => {
  const run = await start(waitFor('go', { schema }))
  const refused = await signal(run, 'go', { amount: 0 })
  expect(refused).toMatchObject({ code: 'BAD_INPUT', extensions: { argument: 'input.payload' } })
  expect(refused.extensions.problems?.map(({ path }) => path).sort()).toEqual([
    'input.payload',
    'input.payload.amount',
  ])
  expect(await signal(run, 'og', {})).toMatchObject({
    code: 'BAD_INPUT',
    extensions: { argument: 'input.name', hint: 'Did you mean go?' },
  })
  expect((await signal(run, 'go', { approved: true, note: 'nu\0l' })).code).toBe('BAD_INPUT')
  expect((await signal(run, 'go', { approved: true, note: 'x'.repeat(5_000_000) })).code).toBe('BAD_INPUT')
  expect(await strandOf(run)).toMatchObject({ status: 'waiting' })
  expect((await signal(run, 'go', { approved: true, note: 'x'.repeat(1_000_000) })).code).toBeNull()
})

test('a paused run takes its signal and goes on when it is resumed; a run that is over takes none', async () => {
  const run = await start(waitFor('go'))
  const set = (status: string) =>
    world.database.transact(actor, (client) =>
      client.query('update run set status = $3 where organization_id = $1 and id = $2', [
        actor.organizationId,
        run,
        status,
      ]),
    )
  await set('paused')
  expect((await signal(run, 'go')).data).toMatchObject({ signalRun: { taken: true } })
  expect(await strandOf(run)).toMatchObject({ status: 'held', resume: { type: 'wait_over', payload: null } })
  await set('completed')
  expect(await signal(run, 'go')).toMatchObject({ code: 'INVALID_STATE' })
})

test('a run of another organization is as one that is not there', async () => {
  const run = await start(waitFor('go'))
  const stranger = await world.organization()
  const foreign = await signal(run, 'go', {}, undefined, stranger)
  expect(foreign.code).toBe('NOT_FOUND')
  expect(foreign).toEqual(await signal(crypto.randomUUID(), 'go', {}, undefined, stranger))
  expect(foreign).toEqual(await signal('nonsense', 'go', {}, undefined, stranger))
  expect(await strandOf(run)).toMatchObject({ status: 'waiting' })
})
