import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agents } from '../../index.ts'
import { type DeploymentWorker, workDeployment } from './work-deployment.ts'

let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let operator: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
  operator = await world.organization('operator')
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** Deploys an agent, with all stages done or failed when it answers. */
async function deploy(name: string, actor: Actor, probe: DeploymentWorker['probe']): Promise<string> {
  const { data } = await subgraph.execute({
    query: `mutation ($input: DeployAgentInput!) { deployAgent(input: $input) { deployment { id } } }`,
    variables: { input: { configuration: { metadata: { name, type: 'a.b', version: '1' } } } },
    actor,
  })
  const { id } = JSON.parse(JSON.stringify(data)).deployAgent.deployment
  const due = { organizationId: actor.organizationId, id }
  const { database } = world
  const isOver = async () => {
    const [row] = await database.readTenant<{ over: boolean }>(
      actor,
      `select status in ('completed', 'failed') as over from agent_deployment where id = $1`,
      [id],
    )
    return row?.over === true
  }
  // A stage that is tried again is let go of first: whoever looks next goes on.
  while (!(await isOver())) await workDeployment({ database, probe, retryMs: 0 }, due).catch(() => undefined)
  return id
}

interface Told {
  cursor: string
  type: string
  stage: string | null
  stageStatus: string | null
}

/** What the feed tells until it says that a deployment is over, or something ended it. */
async function listen(
  variables: { deploymentId?: string; after: string },
  actor = operator,
): Promise<{ told: (Told & Record<string, unknown>)[]; codes: unknown }> {
  const leave = new AbortController()
  const query = `subscription ($deploymentId: ID, $after: String) { deploymentEvents(deploymentId: $deploymentId, after: $after) {
    cursor type stage stageStatus agentName error { stage code } deployment { id status } agent { name } } }`
  const told = []
  for await (const { data, errors } of subgraph.subscribe({ query, variables, actor }, leave.signal)) {
    if (errors) return { told, codes: errors.map(({ extensions }) => extensions['code']) }
    const event = JSON.parse(JSON.stringify(data)).deploymentEvents
    told.push(event)
    if (/completed|failed/.test(event.type)) break
  }
  leave.abort()
  return { told, codes: undefined }
}

const BEGINNING = '0'.repeat(13)

/** A page of deployments as the API tells it. */
async function list(variables: { first?: number; after?: string; agentId?: string }, actor = operator) {
  const { data } = await subgraph.execute({
    query: `query ($first: Int, $after: String, $agentId: ID) { deployments(first: $first, after: $after, agentId: $agentId) {
      nodes { id agentName status agent { id } } pageInfo { endCursor } } }`,
    variables,
    actor,
  })
  return JSON.parse(JSON.stringify(data)).deployments
}

test('a deployment tells of each stage, and goes on from a cursor', async () => {
  const deploymentId = await deploy('writer', operator, async () => ({}))
  const { told } = await listen({ deploymentId, after: BEGINNING })
  expect(told.map(({ type, stage, stageStatus }) => [type, stage, stageStatus])).toEqual([
    ['deployment.started', null, null],
    ...['VALIDATE', 'ALLOCATE', 'CREATE_INSTANCES', 'REGISTER', 'MONITOR', 'HAND_OVER'].flatMap((stage) => [
      ['deployment.progressed', stage, 'RUNNING'],
      ['deployment.progressed', stage, 'DONE'],
    ]),
    ['deployment.completed', null, null],
  ])
  expect(told.at(-1)).toMatchObject({
    agentName: 'writer',
    error: null,
    deployment: { id: deploymentId, status: 'COMPLETED' },
    agent: { name: 'writer' },
  })
  const fifth = told.at(4)
  const rest = await listen({ deploymentId, after: fifth?.cursor ?? '' })
  expect(rest.told).toEqual(told.slice(5))
})

test('one that fails tells why, and what is undone; another tenant hears nothing of it', async () => {
  const failed = await deploy('reader', operator, () => Promise.reject(new Error('no answer')))
  const { told } = await listen({ deploymentId: failed, after: BEGINNING })
  expect(told.at(-1)).toMatchObject({
    type: 'deployment.failed',
    stage: 'MONITOR',
    stageStatus: 'FAILED',
    error: { stage: 'MONITOR', code: 'INTERNAL' },
    deployment: { status: 'FAILED' },
    agent: null,
  })
  expect(told.filter(({ stageStatus }) => stageStatus === 'UNDONE').map(({ stage }) => stage)).toEqual([
    'REGISTER',
    'CREATE_INSTANCES',
    'ALLOCATE',
    'VALIDATE',
  ])
  const stranger = await world.organization('operator')
  const own = await deploy('own', stranger, async () => ({}))
  const heard = await listen({ after: BEGINNING }, stranger)
  expect(heard.told.every(({ deployment }) => JSON.stringify(deployment).includes(own))).toBe(true)

  const [newest] = (await list({ first: 1 })).nodes
  expect(newest).toEqual({ id: failed, agentName: 'reader', status: 'FAILED', agent: null })
  const { nodes, pageInfo } = await list({}, stranger)
  expect(nodes).toMatchObject([{ id: own, agentName: 'own', status: 'COMPLETED' }])
  const agentId = nodes[0].agent.id
  expect((await list({ agentId }, stranger)).nodes).toEqual(nodes)
  expect((await list({ after: pageInfo.endCursor }, stranger)).nodes).toEqual([])
  expect((await list({ agentId })).nodes).toEqual([])
  expect(await listen({ after: 'not-a-cursor' })).toEqual({ told: [], codes: ['CURSOR_INVALID'] })
})
