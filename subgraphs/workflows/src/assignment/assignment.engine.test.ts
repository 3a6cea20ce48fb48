import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExecuteTask } from '../engine/worker/attempt.ts'
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

interface GivenAgent {
  name: string
  capabilities?: string[]
  status?: string
}

const withAgents = (actor: Actor, ...agents: GivenAgent[]): Promise<unknown> =>
  world.database.inTenant(actor, (tx) =>
    tx.db.agent.createMany({
      data: agents.map(({ name, capabilities = ['typing'], status = 'active' }) => ({
        organizationId: actor.organizationId,
        name,
        status,
        capabilities,
        type: 'test',
        version: '1',
        executor: {},
        configuration: {},
        configurationHash: name,
      })),
    }),
  )

const STEPS = `name: flow
inputs: [message]
error_handling:
  retry_attempts: 3
steps:
  - {name: one, capability: typing, input: message, output: first, retry_delay_seconds: 0}
  - {name: two, capability: typing, input: first, output: second, retry_delay_seconds: 0}
`

interface TaskShown {
  stepPath: string
  attempt: number
  agent: { id: string }
  assignment: { agent: string; reasons: string[]; ranking: { agent: string; unavailable: string | null }[] }
  recovery: { attempt: number; kind: string; action: string; from: string; to: string | null }[]
}

/** One run of both steps; answers with its tasks. */
async function work(actor: Actor, execute: ExecuteTask): Promise<TaskShown[]> {
  await ask(actor, 'mutation($d: String!) { applyWorkflow(input: {document: $d}) { changed } }', { d: STEPS })
  const { startRun } = await ask(
    actor,
    'mutation { startRun(input: {workflowName: "flow", input: {message: "hello"}}) { run { id } } }',
  )
  const { id } = startRun.run
  await using _runner = startTaskRunner({ database: world.database, execute, log, concurrency: 8 })
  const feed = tail.subscribe({ organizationId: actor.organizationId }, { after: '0000000000000' })
  for await (const { subject, type } of feed)
    if (subject === `run/${id}` && /completed|failed|cancelled/.test(type)) break
  const { run } = await ask(
    actor,
    `query($id: ID!) { run(id: $id) { tasks { stepPath attempt agent { id }
      assignment { agent reasons ranking { agent unavailable } } recovery { attempt kind action from to } } } }`,
    { id },
  )
  return run.tasks
}

const well: TaskOutcome = { type: 'succeeded', output: 'done' }
const unreachable: TaskOutcome = {
  type: 'failed',
  error: { code: 'AGENT_UNREACHABLE', message: 'No connection.', retryable: true },
}

test('a step by capability says why its agent was chosen, and the run stays with it', async () => {
  const actor = await world.organization()
  await withAgents(actor, { name: 'ann' }, { name: 'bob', capabilities: ['typing', 'filing', 'cooking'] })
  const [one, two] = await work(actor, async () => well)
  expect(one?.assignment).toMatchObject({
    agent: 'ann',
    ranking: [{ agent: 'ann' }, { agent: 'bob' }],
  })
  expect(one?.assignment.reasons.join(' ')).toContain('The best of 2.')
  expect(two?.assignment.agent).toBe('ann')
  expect(two?.assignment.reasons).toContain("Did this run's work of the capability before.")
})

test('what an agent could not be reached for, another does at the next attempt', async () => {
  const actor = await world.organization()
  await withAgents(actor, { name: 'ann' }, { name: 'bob', capabilities: ['typing', 'filing', 'cooking'] })
  const done: (string | null)[] = []
  const [one] = await work(actor, async ({ agentName }) => {
    done.push(agentName)
    return agentName === 'ann' ? unreachable : well
  })
  expect(done.slice(0, 2)).toEqual(['ann', 'bob'])
  expect(one?.assignment.agent).toBe('bob')
  expect(one?.recovery).toEqual([
    { attempt: 1, kind: 'connection', action: 'FAIL_OVER', from: 'ann', to: 'bob' },
  ])
  const events = await world.database.readTenant<{ data: { action: string } }>(
    actor,
    `select data from log.event where organization_id = $1 and type = 'task.recovery'`,
    [actor.organizationId],
  )
  expect(events[0]?.data.action).toBe('fail_over')
})

test('who alone has the capability tries again, and an agent’s own refusal stays with it', async () => {
  const alone = await world.organization()
  await withAgents(alone, { name: 'ann' })
  const [one] = await work(alone, async ({ attempt }) => (attempt < 3 ? unreachable : well))
  expect(one).toMatchObject({ attempt: 3, assignment: { agent: 'ann' } })
  expect(one?.assignment.ranking).toEqual([{ agent: 'ann', unavailable: null }])

  const refused = await world.organization()
  await withAgents(refused, { name: 'ann' }, { name: 'bob', capabilities: ['typing', 'filing', 'cooking'] })
  const refusal: TaskOutcome = { type: 'failed', error: { code: 'NO', message: 'no', retryable: true } }
  const [task] = await work(refused, async ({ attempt }) => (attempt < 2 ? refusal : well))
  expect(task).toMatchObject({ attempt: 2, assignment: { agent: 'ann' }, recovery: [] })
})

test('who cannot take work now gets none while there is another; of the rest the least bad is taken', async () => {
  const actor = await world.organization()
  await withAgents(
    actor,
    { name: 'ann', status: 'draining' },
    { name: 'bob', capabilities: ['typing', 'filing', 'cooking'] },
    { name: 'cid' },
  )
  const idOf = async (name: string) => {
    const sql = 'select id from agent where organization_id = $1 and name = $2'
    return (await world.database.readTenant<{ id: string }>(actor, sql, [actor.organizationId, name]))[0]?.id
  }
  const cid = await idOf('cid')
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into breaker (organization_id, scope, subject, state, retry_at)
       values ($1::uuid, 'agent', $2, 'open', now() + interval '1 hour')`,
      actor.organizationId,
      cid,
    ),
  )
  const [one] = await work(actor, async () => well)
  expect(one?.assignment).toMatchObject({
    agent: 'bob',
    ranking: [
      { agent: 'bob' },
      { agent: 'cid', unavailable: 'breaker_open' },
      { agent: 'ann', unavailable: 'draining' },
    ],
  })
})
