import type { Actor, EventRecord } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '../../engine/worker/claimed-task.ts'
import { findOperations, workOperation } from '../../operations/work-operation.ts'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { applyWorkflow } from '../../workflows/apply-workflow.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const TRIP = `
format: tutti/1
name: trip
steps:
  - { name: flight, agent: alpha, output: ticket, compensate: alpha }
  - name: nights
    type: parallel
    branches:
      first: [{ name: hotel, agent: alpha, compensate: alpha }]
      second: [{ name: tent, type: workflow, workflow: camping }]
  - { name: pay, agent: alpha }
`
const CAMPING = 'format: tutti/1\nname: camping\nsteps: [{ name: ask, type: wait, signal: go }]'

const cancel = async (actor: Actor, id: string, more: object = { compensate: true }): Promise<string> =>
  (
    await engine.ask<{ cancelRun: { run: { status: string } } }>(
      actor,
      'mutation($input: CancelRunInput!) { cancelRun(input: $input) { run { status } } }',
      { input: { id, reason: 'no more money', ...more } },
    )
  ).cancelRun.run.status
const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)

/** A worker that notes what it does, and waits at the step with this path for the test. */
function crew(actor: Actor, at: string) {
  const done: string[] = []
  let open: () => void = () => undefined
  let arrive: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (arrive = resolve))
  const work = async ({ stepPath }: ClaimedTask) => {
    if (stepPath === at) {
      arrive()
      await opened
    }
    done.push(stepPath)
    return { type: 'succeeded' as const, output: stepPath }
  }
  return { worker: engine.work(actor, work), done, reached, open: () => open() }
}

/** A run of the trip, once its hotel is booked and its tent is asked for. */
async function startTrip(actor: Actor): Promise<string> {
  await applyWorkflow(engine.world, actor, CAMPING)
  const id = await engine.start(actor, TRIP)
  const told = (text: string) => (event: EventRecord) =>
    JSON.stringify(event.data).includes(text) && JSON.stringify(event.data).includes(id)
  await engine.event(actor, /^task\.completed$/, told('hotel'))
  await engine.event(actor, /^task\.waiting$/, told('"workflow"'))
  return id
}

test('what completed is undone, the newest first; what is under way and below it ends; then the run is cancelled', async () => {
  const actor = await engine.organization('alpha')
  const { worker, done, reached, open } = crew(actor, 'nights[first]/hotel~undo')
  await using _worker = worker
  const id = await startTrip(actor)
  expect(await cancel(actor, id)).toBe('RUNNING')
  await reached
  // Once more is no mistake, and changes nothing.
  expect(await cancel(actor, id)).toBe('RUNNING')
  open()
  const end = await ended(actor, id)
  expect(end).toMatchObject({ type: 'run.cancelled', data: { reason: 'no more money' } })
  expect(done).toEqual(['flight', 'nights[first]/hotel', 'nights[first]/hotel~undo', 'flight~undo'])
  const { run } = await engine.ask<{ run: object }>(
    actor,
    'query($id: ID!) { run(id: $id) { status error { code message } tasks { stepPath status } } }',
    { id },
  )
  expect(run).toMatchObject({
    status: 'CANCELLED',
    error: { code: 'RUN_CANCELLED', message: 'no more money' },
  })
  expect(
    await engine.rows(actor, 'select r.status from run r where r.organization_id = $1 and r.depth = 1'),
  ).toEqual([{ status: 'cancelled' }])
  expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
  expect(
    await engine.rows(
      actor,
      `select actor->>'id' as who, count(*)::int as times from log.event
       where organization_id = $1 and type = 'run.cancelling' group by 1`,
    ),
  ).toEqual([{ who: actor.id, times: 1 }])
  // A moment of the undoing: the run was running, with the state as it was.
  const [cancelling] = await engine.rows<{ at: Date }>(
    actor,
    `select time + interval '1 millisecond' as at from log.event where organization_id = $1 and type = 'run.cancelling'`,
  )
  const { run: then } = await engine.ask<{ run: object }>(
    actor,
    'query($id: ID!, $at: DateTime!) { run(id: $id, at: $at) { status state } }',
    { id, at: cancelling?.at.toISOString() },
  )
  expect(then).toEqual({ status: 'RUNNING', state: { ticket: 'flight' } })
})

test('a paused run is undone too; a plain cancel ends the undoing', async () => {
  const actor = await engine.organization('alpha')
  const { worker, done, reached } = crew(actor, 'nights[first]/hotel~undo')
  await using _worker = worker
  const id = await startTrip(actor)
  await engine.ask(actor, 'mutation($id: ID!) { pauseRun(input: { id: $id }) { run { id } } }', { id })
  await cancel(actor, id)
  await reached
  expect(await cancel(actor, id, {})).toBe('CANCELLED')
  expect(done).toEqual(['flight', 'nights[first]/hotel'])
})

test('a run that fails is undoing already; where nothing can be undone it is cancelled at once', async () => {
  const actor = await engine.organization('alpha')
  let arrive: () => void = () => undefined
  const undoing = new Promise<void>((resolve) => (arrive = resolve))
  await using _worker = engine.work(actor, async ({ stepPath }, signal) => {
    if (stepPath === 'two') return { type: 'failed', error: { code: 'NO', message: 'no', retryable: false } }
    if (stepPath === 'one~undo') {
      arrive()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
    return { type: 'succeeded', output: null }
  })
  const failing = await engine.start(
    actor,
    'format: tutti/1\nname: failing\nsteps: [{ name: one, agent: alpha, compensate: alpha }, { name: two, agent: alpha }]',
  )
  await undoing
  await expect(cancel(actor, failing)).rejects.toThrow(/^INVALID_STATE: The run has failed/)
  await cancel(actor, failing, {})
  const plain = await engine.start(actor, CAMPING)
  expect(await cancel(actor, plain)).toBe('CANCELLED')
})

test('many runs are undone and cancelled as one operation', async () => {
  const actor = await engine.organization('alpha')
  const { worker, done } = crew(actor, '')
  await using _worker = worker
  const ids = [await startTrip(actor), await startTrip(actor)]
  await engine.ask(
    actor,
    `mutation($ids: [ID!]) {
      bulkControlRuns(input: { action: CANCEL, compensate: true, filter: { ids: $ids }, reason: "storm" }) { operation { id } }
    }`,
    { ids },
  )
  const { database } = engine.world
  for (const operation of await findOperations(database.pool('worker')))
    await workOperation({ database, wake: () => undefined }, operation)
  for (const id of ids) expect((await ended(actor, id)).type).toBe('run.cancelled')
  expect(done.filter((path) => path.endsWith('~undo'))).toHaveLength(4)
  await expect(
    engine.ask(
      actor,
      `mutation($ids: [ID!]) {
        bulkControlRuns(input: { action: PAUSE, compensate: true, filter: { ids: $ids } }) { operation { id } }
      }`,
      { ids },
    ),
  ).rejects.toThrow('BAD_INPUT: It is for CANCEL.')
})
