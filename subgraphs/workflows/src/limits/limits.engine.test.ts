import { randomUUID } from 'node:crypto'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor, EventType } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { startTaskRunner } from '../engine/worker/task-runner.ts'
import { workflows } from '../index.ts'

const log = createLog('test', 'silent')
let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const services = { database: world.database, tail, log, secret: world.secret, wake: () => undefined }
  subgraph = bindSubgraph(workflows, services, log)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(actor: Actor, query: string, variables: Record<string, unknown> = {}) {
  const result = await subgraph.execute({ query, variables, actor })
  if (result.errors) throw new Error(JSON.stringify(result.errors))
  return JSON.parse(JSON.stringify(result.data))
}

const DOCUMENTS = [
  `name: flow
format: tutti/1
inputs: [item]
steps:
  - {name: first, agent: alpha, input: item, output: one}
  - {name: second, agent: beta, input: one, output: two}
`,
  `name: free
format: tutti/1
inputs: [item]
steps:
  - {name: only, agent: gamma, input: item, output: one}
`,
]
const APPLY = 'mutation($document: String!) { applyWorkflow(input: {document: $document}) { changed } }'

/** An organization with a workflow of two steps by agents that may cost something, and one by an agent that does not. */
async function makeOrganization(): Promise<{ actor: Actor; beta: string }> {
  const actor = await world.organization()
  const { organizationId } = actor
  const beta = randomUUID()
  const agent = (name: string, id: string, type: string) => ({
    ...{ organizationId, id, name, type: 'test', version: '1', executor: { type } },
    ...{ configuration: {}, configurationHash: name },
  })
  await world.database.inTenant(actor, (tx) =>
    tx.db.agent.createMany({
      data: [
        agent('alpha', randomUUID(), 'http'),
        agent('beta', beta, 'http'),
        agent('gamma', randomUUID(), 'builtin'),
      ],
    }),
  )
  for (const document of DOCUMENTS) await ask(actor, APPLY, { document })
  return { actor, beta }
}

const settings = (actor: Actor, document: string) =>
  ask(actor, 'mutation($document: String!) { applySettings(input: {document: $document}) { changed } }', {
    document,
  })

async function start(actor: Actor, count: number, workflowName = 'flow'): Promise<string[]> {
  const runs = Array.from({ length: count }, (_, index) => ({
    workflowName,
    input: { item: `item-${index}` },
  }))
  const { startRuns } = await ask(
    actor,
    'mutation($runs: [StartRunInput!]!) { startRuns(input: {runs: $runs}) { runs { run { id } } } }',
    { runs },
  )
  return startRuns.runs.map(({ run }: { run: { id: string } }) => run.id)
}

async function count(actor: Actor, status: string): Promise<number> {
  const { runs } = await ask(actor, '{ runs(first: 100) { nodes { status } } }')
  return runs.nodes.filter((run: { status: string }) => run.status === status).length
}

/** Two workers, until so many runs have completed since the log began, or so much else of a type has happened. */
async function work(
  actor: Actor,
  times: number,
  attempt: (task: ClaimedTask) => Promise<{ costUsd?: number } | undefined>,
  type: EventType = 'run.completed',
): Promise<void> {
  const execute = async (task: ClaimedTask): Promise<TaskOutcome> => ({
    type: 'succeeded',
    output: task.agentName,
    ...(await attempt(task)),
  })
  const options = { database: world.database, execute, log, concurrency: 16 }
  await using _first = startTaskRunner(options)
  await using _second = startTaskRunner(options)
  const { organizationId } = actor
  let happened = 0
  for await (const _ of tail.subscribe({ organizationId, types: [type] }, { after: '0'.repeat(13) })) {
    happened += 1
    if (happened === times) break
  }
}

/** Lets everybody wait for so many to be there; those who come later do not wait. */
function gathering(size: number): () => Promise<void> {
  let here = 0
  let open: () => void = () => undefined
  const full = new Promise<void>((resolve) => (open = resolve))
  return () => {
    here += 1
    if (here >= size) open()
    return full
  }
}

test('as many tasks are under way as the settings let, and as one agent may have, and all runs end', async () => {
  const { actor, beta } = await makeOrganization()
  await settings(actor, 'resource_limits: {max_concurrent_agents: 4}')
  await ask(
    actor,
    'mutation($id: ID!) { setLimit(input: {name: "b", agentId: $id, maxRunning: 2}) { limit { id } } }',
    { id: beta },
  )
  await start(actor, 12)
  const most = { all: 0, alpha: 0, beta: 0 }
  const now = { all: 0, alpha: 0, beta: 0 }
  const arrive = { alpha: gathering(4), beta: gathering(2) }
  await work(actor, 12, async ({ agentName }) => {
    const name = agentName === 'beta' ? 'beta' : 'alpha'
    for (const each of ['all', name] as const) {
      now[each] += 1
      most[each] = Math.max(most[each], now[each])
    }
    await arrive[name]()
    for (const each of ['all', name] as const) now[each] -= 1
    return undefined
  })
  expect(most).toEqual({ all: 4, alpha: 4, beta: 2 })
  expect(await count(actor, 'COMPLETED')).toBe(12)
})

test('as many runs are under way as the settings let; the others are queued', async () => {
  const { actor } = await makeOrganization()
  await settings(actor, 'performance: {max_concurrent_workflows: 3}')
  const ids = await start(actor, 9)
  expect(await count(actor, 'QUEUED')).toBe(9)
  const begun: string[] = []
  const most: number[] = []
  const arrive = gathering(3)
  await work(actor, 9, async ({ runId, agentName }) => {
    if (agentName === 'alpha') begun.push(runId)
    await arrive()
    most.push(await count(actor, 'RUNNING'))
    return undefined
  })
  expect(Math.max(...most)).toBe(3)
  expect(begun.toSorted()).toEqual(ids.toSorted())
})

test('runs that wait for one place begin in their order', async () => {
  const { actor } = await makeOrganization()
  await settings(actor, 'performance: {max_concurrent_workflows: 1}')
  const ids = await start(actor, 9)
  const begun: string[] = []
  await work(actor, 9, async ({ runId, agentName }) => {
    if (agentName === 'alpha') begun.push(runId)
    return undefined
  })
  expect(begun).toEqual(ids)
})

test('no more attempts begin than the hour lets, and without that setting what waited goes on', async () => {
  const { actor } = await makeOrganization()
  await settings(actor, 'resource_limits: {max_requests_per_hour: 6}')
  await start(actor, 5)
  let attempts = 0
  const attempt = async () => {
    attempts += 1
    return undefined
  }
  await work(actor, 6, attempt, 'task.completed')
  const { limits } = await ask(actor, '{ limits { nodes { use { startsLeft } } } }')
  expect([attempts, limits.nodes[0].use.startsLeft]).toEqual([6, 0])
  await settings(actor, 'resource_limits: {max_concurrent_agents: 50}')
  await work(actor, 5, attempt)
  expect(attempts).toBe(10)
})

test('once the day has cost its budget nothing that may cost begins, and a larger budget lets it go on', async () => {
  const { actor } = await makeOrganization()
  await settings(actor, 'resource_limits: {daily_ai_budget_usd: 3, max_concurrent_agents: 1}')
  await start(actor, 4)
  let attempts = 0
  const attempt = async ({ agentName }: ClaimedTask) => {
    if (agentName === 'gamma') return undefined
    attempts += 1
    return { costUsd: 1 }
  }
  const spent = async (): Promise<number> => {
    const { limits } = await ask(actor, '{ limits { nodes { counts use { costUsd } } } }')
    return limits.nodes.find(({ counts }: { counts: string }) => counts === 'COST').use.costUsd
  }
  // The first run's two steps, and one of the second's.
  await work(actor, 3, attempt, 'task.completed')
  expect([attempts, await spent()]).toEqual([3, 3])
  // What costs nothing goes on, past everything that waits before it.
  await start(actor, 1, 'free')
  await work(actor, 2, attempt)
  expect([attempts, await spent()]).toEqual([3, 3])
  await settings(actor, 'resource_limits: {daily_ai_budget_usd: "100 USD"}')
  await work(actor, 5, attempt)
  expect([attempts, await spent()]).toEqual([8, 8])
})
