import { randomUUID } from 'node:crypto'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, testActor, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { metrics } from './index.ts'
import { recordOutcomes } from './outcomes/record-outcomes.ts'
import { assessQuality } from './quality/assess-quality.ts'

let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let operator: Actor
let stranger: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  subgraph = bindSubgraph(metrics, { database: world.database, tail, log }, log)
  operator = await world.organization('operator')
  stranger = await world.organization('admin')
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(query: string, variables: Record<string, unknown> = {}, actor = operator) {
  const { data, errors } = await subgraph.execute({ query, variables, actor })
  return {
    data: JSON.parse(JSON.stringify(data ?? null)),
    codes: errors?.map((error) => error.extensions['code']),
  }
}
const ASSESS =
  'mutation ($input: AssessQualityInput!) { assessQuality(input: $input) { assessment { id overallScore belowMinimum scorer dimensions { name score reasons } } } }'
const ENTITIES = `query ($all: [_Any!]!) { _entities(representations: $all) {
  ... on Task { quality { id } } ... on Run { quality { id } } ... on Workflow { outcomes { completed failed cancelled failureRate } }
  ... on QualityAssessment { scorer } ... on Anomaly { type } } }`

test('the same key answers with the same assessment; a key of the platform cannot be taken', async () => {
  const input = { text: 'Hello, it takes three days. Kind regards', idempotencyKey: 'once' }
  const first = await ask(ASSESS, { input })
  expect(first.data.assessQuality.assessment.dimensions).toHaveLength(5)
  expect(await ask(ASSESS, { input: { ...input, text: 'other' } })).toEqual(first)
  const platform = await assessQuality(world, operator, { requestKey: 'once', text: 'x' })
  expect(platform.id).not.toBe(first.data.assessQuality.assessment.id)
  expect((await ask(ASSESS, { input: { text: 'x', idempotencyKey: '' } })).codes).toEqual(['BAD_INPUT'])
})

test('the assessments of tasks and runs are read in batches, and by their tenant only', async () => {
  const runId = randomUUID()
  const tasks = [randomUUID(), randomUUID()]
  const made = []
  for (const taskId of tasks)
    made.push(await assessQuality(world, operator, { requestKey: taskId, text: 'x', taskId, runId }))
  const all = [...tasks.map((id) => ({ __typename: 'Task', id })), { __typename: 'Run', id: runId }]
  const reads = vi.spyOn(world.database, 'readTenant')
  expect((await ask(ENTITIES, { all })).data._entities).toEqual([
    { quality: [{ id: made[0]?.id }] },
    { quality: [{ id: made[1]?.id }] },
    { quality: made.map(({ id }) => ({ id })) },
  ])
  expect(reads).toHaveBeenCalledTimes(2)
  reads.mockRestore()
  const none = { quality: [] }
  expect((await ask(ENTITIES, { all }, stranger)).data._entities).toEqual([none, none, none])
})

test('assessments arrive as they happen, and again from a cursor', async () => {
  const stop = new AbortController()
  const query =
    'subscription ($after: String) { qualityEvents(after: $after, belowMinimumOnly: true) { cursor assessment { belowMinimum } task { id } } }'
  const start = await assessQuality(world, operator, { requestKey: 'start', text: '' })
  const [event] = await world.database.readTenant<{ seq: bigint }>(
    operator,
    "select seq from log.event where data->>'assessmentId' = $1",
    [start.id],
  )
  const after = ((event?.seq ?? 0n) - 1n).toString(36).padStart(13, '0')
  const feed = subgraph.subscribe({ query, variables: { after }, actor: operator }, stop.signal)
  const next = async () => JSON.parse(JSON.stringify((await feed.next()).value)).data.qualityEvents
  expect(await next()).toMatchObject({ assessment: { belowMinimum: true }, task: null })
  const taskId = randomUUID()
  await assessQuality(world, stranger, { requestKey: 'theirs', text: '', taskId: randomUUID() })
  await assessQuality(world, operator, {
    requestKey: 'fine',
    text: 'Hello, refunds take up to three working days. Kind regards',
  })
  await assessQuality(world, operator, { requestKey: 'bad', text: '', taskId })
  const second = await next()
  expect(second).toMatchObject({ assessment: { belowMinimum: true }, task: { id: taskId } })
  stop.abort()
  const resumed = subgraph.subscribe(
    { query, variables: { after: second.cursor }, actor: operator },
    AbortSignal.abort(),
  )
  expect((await resumed.next()).done).toBe(true)
})

test('how runs ended is counted for the last hour, and anomalies are listed newest first', async () => {
  const workflowId = randomUUID()
  const ended = (count: number, type: 'run.completed' | 'run.failed', minutesAgo: number): EventRecord[] =>
    Array.from({ length: count }, () => {
      const id = randomUUID()
      const data = {
        runId: id,
        workflowId,
        workflowName: 'w',
        fallback: false,
        error: { code: 'X', message: 'x' },
      }
      const time = new Date(Date.now() - minutesAgo * 60_000)
      return {
        organizationId: operator.organizationId,
        seq: 1n,
        id,
        type,
        subject: id,
        actor: { id: 'a', kind: 'system', name: 'a' },
        data,
        time,
      }
    })
  await recordOutcomes(world, [
    ...ended(50, 'run.failed', 90),
    ...ended(15, 'run.completed', 5),
    ...ended(5, 'run.failed', 5),
  ])
  const all = [{ __typename: 'Workflow', id: workflowId }]
  expect((await ask(ENTITIES, { all })).data._entities).toEqual([
    { outcomes: { completed: 15, failed: 5, cancelled: 0, failureRate: 0.25 } },
  ])
  const nothing = { outcomes: { completed: 0, failed: 0, cancelled: 0, failureRate: 0 } }
  expect((await ask(ENTITIES, { all }, stranger)).data._entities).toEqual([nothing])

  const list = '{ anomalies { id type severity value threshold description workflow { id } } }'
  expect((await ask(list)).data.anomalies).toMatchObject([
    {
      type: 'workflow_failures',
      severity: 'high',
      value: 0.25,
      threshold: 0.1,
      workflow: { id: workflowId },
    },
  ])
  expect((await ask(list, {}, stranger)).data.anomalies).toEqual([])
})

test('a foreign id, a random one and a malformed one answer alike', async () => {
  const { id: assessment } = await assessQuality(world, operator, { requestKey: 'secret', text: 'x' })
  const [anomaly] = (await ask('{ anomalies { id } }')).data.anomalies
  const doors: [string, (id: string) => Promise<unknown>][] = [
    [assessment, (id) => ask('query ($id: ID!) { qualityAssessment(id: $id) { scorer } }', { id }, stranger)],
    [assessment, (id) => ask(ENTITIES, { all: [{ __typename: 'QualityAssessment', id }] }, stranger)],
    [anomaly.id, (id) => ask(ENTITIES, { all: [{ __typename: 'Anomaly', id }] }, stranger)],
  ]
  for (const [own, open] of doors) {
    const random = await open(randomUUID())
    expect(await open(own)).toEqual(random)
    expect(await open('no id at all')).toEqual(random)
  }
})

test('a viewer reads and does not assess', async () => {
  const viewer = testActor('viewer', operator.organizationId)
  expect((await ask('{ anomalies { id } }', {}, viewer)).codes).toBeUndefined()
  expect((await ask(ASSESS, { input: { text: 'x', idempotencyKey: 'v' } }, viewer)).codes).toEqual([
    'FORBIDDEN',
  ])
})
