import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRuns } from '../runs/start-runs.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'
import { findOperations, workOperation } from './work-operation.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

interface Operation {
  id: string
  status: string
  total: number
  done: number
  failed: number
  problems: { runId: string; code: string; message: string; run: { status: string } | null }[]
  endedAt: string | null
}
const FIELDS = 'id status total done failed problems { runId code message run { status } } endedAt'

const bulk = async (actor: Actor, input: Record<string, unknown>): Promise<Operation> =>
  (
    await engine.ask<{ bulkControlRuns: { operation: Operation } }>(
      actor,
      `mutation($input: BulkControlRunsInput!) { bulkControlRuns(input: $input) { operation { ${FIELDS} } } }`,
      { input },
    )
  ).bulkControlRuns.operation
const read = async (actor: Actor, id: string): Promise<Operation> =>
  (
    await engine.ask<{ operation: Operation }>(
      actor,
      `query($id: ID!) { operation(id: $id) { ${FIELDS} } }`,
      {
        id,
      },
    )
  ).operation

/** Runs that wait, ready for a worker that there is not. */
async function startMany(
  actor: Actor,
  count: number,
  name = 'flow',
): Promise<{ workflowId: string; ids: string[] }> {
  const { id } = await applyWorkflow(
    engine.world,
    actor,
    `format: tutti/1\nname: ${name}\nsteps: [{ name: work, agent: alpha }]`,
  )
  const services = { database: engine.world.database, wake: () => undefined }
  const requests = Array.from({ length: count }, () => ({ workflowId: id, input: {} }))
  const runs = await startRuns(services, actor, requests, String)
  return { workflowId: id, ids: runs.map((run) => run.id) }
}
const statusesOf = async (actor: Actor): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await engine.rows<{ status: string; runs: number }>(
        actor,
        'select status, count(*)::int as runs from run where organization_id = $1 group by status',
      )
    ).map(({ status, runs }) => [status, runs]),
  )

/** Works an organization's operations off, as a worker does. */
async function workOff(actor: Actor, most = 100): Promise<number> {
  const { database } = engine.world
  let rounds = 0
  for (let worked = true; worked && rounds < most;) {
    const operations = (await findOperations(database.pool('worker'))).filter(
      ({ organizationId }) => organizationId === actor.organizationId,
    )
    worked = false
    for (const operation of operations)
      if (await workOperation({ database, wake: () => undefined }, operation)) worked = true
    if (worked) rounds += 1
  }
  return rounds
}

describe('an operation on many runs', () => {
  test('is done in chunks, each run once, and tells how far it is', async () => {
    const actor = await engine.organization('alpha')
    const { workflowId } = await startMany(actor, 120)
    await startMany(actor, 3, 'other')
    const started = await bulk(actor, { action: 'PAUSE', filter: { workflowId }, reason: 'storm' })
    expect(started).toMatchObject({ status: 'RUNNING', total: 120, done: 0, failed: 0 })
    expect(await workOff(actor, 1)).toBe(1)
    expect(await read(actor, started.id)).toMatchObject({ status: 'RUNNING', done: 50 })
    await workOff(actor)
    expect(await read(actor, started.id)).toMatchObject({
      status: 'COMPLETED',
      total: 120,
      done: 120,
      failed: 0,
    })
    expect(await statusesOf(actor)).toEqual({ paused: 120, running: 3 })
    const [events] = await engine.rows<{ paused: number; runs: number; reason: string; who: string }>(
      actor,
      `select count(*)::int as paused, count(distinct subject)::int as runs, min(data->>'reason') as reason,
         min(actor->>'id') as who from log.event where organization_id = $1 and type = 'run.paused'`,
    )
    expect(events).toEqual({ paused: 120, runs: 120, reason: 'storm', who: actor.id })
    const progress = await engine.rows<{ type: string; done: number | null }>(
      actor,
      `select type, (data->>'done')::int as done from log.event
       where organization_id = $1 and subject = $2 order by seq`,
      [`operation/${started.id}`],
    )
    expect(progress.map(({ type, done }) => `${type} ${done}`)).toEqual([
      'operation.started null',
      'operation.progressed 50',
      'operation.progressed 100',
      'operation.progressed 120',
      'operation.completed 120',
    ])
    // Runs that are started later are none of its business.
    const again = await bulk(actor, { action: 'RESUME', filter: { workflowId } })
    await startMany(actor, 2)
    await workOff(actor)
    expect(await read(actor, again.id)).toMatchObject({ total: 120, done: 120 })
  })

  test('is worked by several at once without doing anything twice', async () => {
    const actor = await engine.organization('alpha')
    await startMany(actor, 200)
    const { id } = await bulk(actor, { action: 'CANCEL', filter: { status: ['RUNNING'] } })
    await Promise.all([workOff(actor), workOff(actor), workOff(actor)])
    // Whoever found it locked by another stopped looking; the last chunk may be left.
    await workOff(actor)
    expect(await read(actor, id)).toMatchObject({ status: 'COMPLETED', done: 200 })
    const [events] = await engine.rows(
      actor,
      `select count(*)::int as n from log.event where organization_id = $1 and type = 'run.cancelled'`,
    )
    expect(events).toEqual({ n: 200 })
    expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
  })

  test('names what it refused, and ids that are nobody’s', async () => {
    const actor = await engine.organization('alpha')
    const { ids } = await startMany(actor, 3)
    await bulk(actor, { action: 'CANCEL', filter: { ids: [ids[0]] } })
    await workOff(actor)
    const stranger = await engine.organization('alpha')
    const foreign = await startMany(stranger, 1)
    const input = { action: 'PAUSE', filter: { ids: [...ids, foreign.ids[0], 'nonsense'] } }
    const foreseen = await bulk(actor, { ...input, dryRun: true })
    expect(foreseen).toMatchObject({ status: 'COMPLETED', total: 5, done: 2, failed: 3 })
    expect(await statusesOf(actor)).toEqual({ cancelled: 1, running: 2 })
    const { id } = await bulk(actor, input)
    await workOff(actor)
    const operation = await read(actor, id)
    expect(operation).toMatchObject({ status: 'COMPLETED', total: 5, done: 2, failed: 3 })
    expect(operation.problems).toEqual([
      { runId: foreign.ids[0], code: 'NOT_FOUND', message: 'There is no such run.', run: null },
      { runId: 'nonsense', code: 'NOT_FOUND', message: 'There is no such run.', run: null },
      {
        runId: ids[0],
        code: 'INVALID_STATE',
        message: 'The run is cancelled.',
        run: { status: 'CANCELLED' },
      },
    ])
    expect(foreseen.problems.map(({ code }) => code)).toEqual(operation.problems.map(({ code }) => code))
    expect(await statusesOf(stranger)).toEqual({ running: 1 })
  })

  test('replays what failed with one code', async () => {
    const actor = await engine.organization('alpha')
    let broken = true
    const worker = engine.work(actor, async () =>
      broken
        ? { type: 'failed', error: { code: 'DOWN', message: 'no', retryable: false } }
        : { type: 'succeeded', output: 1 },
    )
    await startMany(actor, 5)
    for (let failed = 0; failed < 5;) {
      await engine.event(actor, /^run\.failed$/)
      failed = (await statusesOf(actor))['failed'] ?? 0
    }
    broken = false
    expect(await bulk(actor, { action: 'RETRY', filter: { errorCode: 'OTHER' } })).toMatchObject({
      status: 'COMPLETED',
      total: 0,
    })
    const { id } = await bulk(actor, { action: 'RETRY', filter: { errorCode: 'DOWN' } })
    await workOff(actor)
    expect(await read(actor, id)).toMatchObject({ done: 5, failed: 0 })
    while ((await statusesOf(actor))['completed'] !== 5) await engine.event(actor, /^run\.completed$/)
    await worker[Symbol.asyncDispose]()
  })

  test('signals many runs, each once, and forks them', async () => {
    const actor = await engine.organization('alpha')
    const document =
      'format: tutti/1\nname: asks\nsteps: [{ name: ask, type: wait, signal: go, output: answer }, { name: work, agent: alpha }]'
    const runs = [await engine.start(actor, document), await engine.start(actor, document)]
    const [deaf] = (await startMany(actor, 1)).ids
    await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: 1 }))
    const signal = { name: 'go', payload: { yes: true } }
    const filter = { ids: [...runs, deaf] }
    await engine.event(actor, /^run\.completed$/, ({ data }) => JSON.stringify(data).includes(deaf ?? ''))
    const { id } = await bulk(actor, { action: 'SIGNAL', filter, signal })
    await workOff(actor)
    expect(await read(actor, id)).toMatchObject({
      status: 'COMPLETED',
      done: 2,
      failed: 1,
      problems: [{ runId: deaf, code: 'INVALID_STATE' }],
    })
    for (const run of runs)
      await engine.event(actor, /^run\.completed$/, ({ data }) => JSON.stringify(data).includes(run))
    const forks = await bulk(actor, {
      action: 'FORK',
      filter: { ids: runs },
      fork: { stepPath: 'work', state: { answer: 'no' } },
    })
    await workOff(actor)
    expect(await read(actor, forks.id)).toMatchObject({ status: 'COMPLETED', done: 2, failed: 0 })
    const forked = await engine.rows<{ from: string }>(
      actor,
      'select forked_from_id as "from" from run where organization_id = $1 and forked_from_id is not null order by 1',
    )
    expect(forked.map(({ from }) => from)).toEqual(runs.toSorted())
    for (const [input, problem] of [
      [{ action: 'SIGNAL', filter }, 'BAD_INPUT: Say which signal.'],
      [{ action: 'PAUSE', filter, signal }, 'BAD_INPUT: It is for SIGNAL.'],
      [{ action: 'FORK', filter, fork: { state: { $x: 1 } } }, 'BAD_INPUT: Names beginning with $'],
    ] as const)
      await expect(bulk(actor, input)).rejects.toThrow(problem)
  })

  test('passes a run by that cannot be dealt with at all', async () => {
    const actor = await engine.organization('alpha')
    const [sound, spoilt] = [await startMany(actor, 2), await startMany(actor, 1, 'spoilt')]
    await engine.world.database.transact(actor, async (client) => {
      await client.query(`update run set status = 'failed', error = '{"code": "X", "node": "work"}'`)
      await client.query('delete from strand')
      await client.query(`update workflow_version set definition = '{}' where workflow_id = $1`, [
        spoilt.workflowId,
      ])
    })
    const { id } = await bulk(actor, { action: 'RETRY', filter: { errorCode: 'X' } })
    await workOff(actor)
    expect(await read(actor, id)).toMatchObject({
      status: 'COMPLETED',
      done: 2,
      failed: 1,
      problems: [{ runId: spoilt.ids[0], code: 'INTERNAL' }],
    })
    const retried = await engine.rows(
      actor,
      `select id from run where organization_id = $1 and status = 'running' order by id`,
    )
    expect(retried).toEqual(sound.ids.toSorted().map((each) => ({ id: each })))
  })

  test('is stopped where it is', async () => {
    const actor = await engine.organization('alpha')
    await startMany(actor, 80)
    const { id } = await bulk(actor, { action: 'PAUSE', filter: { createdAfter: '2000-01-01T00:00:00Z' } })
    await workOff(actor, 1)
    const cancel = (of: string) =>
      engine.ask<{ cancelOperation: { operation: Operation } }>(
        actor,
        `mutation($id: ID!) { cancelOperation(input: { id: $id, reason: "wrong" }) { operation { ${FIELDS} } } }`,
        { id: of },
      )
    expect(await cancel(id)).toMatchObject({
      cancelOperation: { operation: { status: 'CANCELLED', done: 50 } },
    })
    expect(await workOff(actor)).toBe(0)
    expect(await statusesOf(actor)).toEqual({ paused: 50, running: 30 })
    await cancel(id)
    await expect(cancel('00000000-0000-4000-8000-000000000000')).rejects.toThrow('NOT_FOUND')
    const other = await bulk(actor, { action: 'RESUME', filter: { ids: [] } })
    await expect(cancel(other.id)).rejects.toThrow('INVALID_STATE: The operation is completed.')
  })

  test('is started once a key, and not without saying which runs', async () => {
    const actor = await engine.organization('alpha')
    const { workflowId } = await startMany(actor, 1)
    const input = { action: 'PAUSE', filter: { workflowId }, idempotencyKey: 'k' }
    const [first, second] = [await bulk(actor, input), await bulk(actor, input)]
    expect(second.id).toBe(first.id)
    await expect(bulk(actor, { ...input, action: 'CANCEL' })).rejects.toThrow('IDEMPOTENCY_KEY_REUSED')
    await expect(bulk(actor, { action: 'CANCEL', filter: {} })).rejects.toThrow(
      'BAD_INPUT: A filter of nothing',
    )
    const stranger = await engine.organization('alpha')
    expect(await bulk(stranger, { action: 'CANCEL', filter: { workflowId } })).toMatchObject({ total: 0 })
    const { operation } = await engine.ask<{ operation: Operation | null }>(
      stranger,
      'query($id: ID!) { operation(id: $id) { id } }',
      { id: first.id },
    )
    expect(operation).toBeNull()
  })
})
