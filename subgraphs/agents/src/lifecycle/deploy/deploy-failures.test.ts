import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { type Actor, fail } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerAgent } from '../../agents/register-agent.ts'
import { retireAgent } from '../retire-agent.ts'
import { scaleAgent } from '../scale-agent.ts'
import { deployAgent } from './deploy-agent.ts'
import type { DeploymentRow } from './deployment-row.ts'
import { STAGES } from './deployment-steps.ts'
import { type DeploymentWorker, findDeployments, workDeployment } from './work-deployment.ts'

let world: TestDatabase
beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

const NEEDS = 'resource_requirements: {memory_mb: 100, cpu_cores: 1, max_concurrent_tasks: 3}'
const documentOf = (more = '', version = '2') =>
  `metadata: {name: writer, type: a.b, version: "${version}"}\nexecutor: {type: builtin, function: echo}\n${NEEDS}\n${more}`

class Crash extends Error {}

/** Works on a deployment with workers that come after each other, until it is over. */
async function workOff(actor: Actor, id: string, worker: Partial<DeploymentWorker>): Promise<DeploymentRow> {
  const { database } = world
  const due = { organizationId: actor.organizationId, id }
  for (let turn = 0; turn < 30; turn += 1) {
    // The one before died, or let go of it: its lease is over.
    await database.inTenant(actor, (tx) =>
      tx.sql(
        "update agent_deployment set lease_until = now() - interval '1 second' where id = $1::uuid returning id",
        id,
      ),
    )
    await workDeployment({ database, probe: async () => ({}), retryMs: 0, ...worker }, due).catch(
      () => undefined,
    )
    const row = await read(actor, id)
    if (row.status === 'completed' || row.status === 'failed') return row
  }
  throw new Error('It came to no end.')
}

async function read(actor: Actor, id: string): Promise<DeploymentRow> {
  const [row] = await world.database.readTenant<DeploymentRow>(
    actor,
    'select status, stages, error, agent_id as "agentId" from agent_deployment where id = $1',
    [id],
  )
  return row ?? fail('NOT_FOUND')
}

/** Everything that a deployment may leave behind. */
async function leftOf(actor: Actor) {
  const [row] = await world.database.readTenant(
    actor,
    `select (select count(*)::int from agent_instance) as instances, (select count(*)::int from agent_allocation) as allocations,
       (select coalesce(jsonb_agg(jsonb_build_array(name, max_running)), '[]') from engine_limit) as limits,
       (select coalesce(jsonb_agg(jsonb_build_array(name, status, serving_version, version, team_id) order by name), '[]') from agent) as agents,
       (select coalesce(jsonb_agg(number order by agent_id, number), '[]') from agent_version) as versions`,
  )
  return row
}

interface Case {
  stage: (typeof STAGES)[number]
  kind: string
  more?: string
  /** Makes it fail; done before the deployment, or before its first worker comes. */
  before?(actor: Actor): Promise<unknown>
  meanwhile?(actor: Actor): Promise<unknown>
  worker?: Partial<DeploymentWorker>
  code: string
}

const quota = (bound: Record<string, number>) => (actor: Actor) =>
  world.database.inTenant(actor, (tx) =>
    tx.db.agentQuota.create({ data: { organizationId: actor.organizationId, ...bound } }),
  )

const at = (name: string, act: () => never): Partial<DeploymentWorker> => ({
  onStep: (step) => {
    if (step === name) act()
  },
})
const broken = (stage: string) => at(`do ${stage}`, () => fail('CONFLICT', { message: 'Not now.' }))
const bug = (stage: string) =>
  at(`do ${stage}`, () => {
    throw new Error('A mistake of ours.')
  })
/** The worker dies at a step, once; what comes after it fails for good at the stage. */
function crash(step: string, stage: string): Partial<DeploymentWorker> {
  let dead = false
  return {
    onStep: (name) => {
      if (name === step && !dead) {
        dead = true
        throw new Crash()
      }
      if (name === `do ${stage}`) fail('CONFLICT', { message: 'Not now.' })
    },
  }
}
/** The worker dies while it undoes a stage, once. */
function crashInUndo(undone: string, stage: string): Partial<DeploymentWorker> {
  let dead = false
  return {
    onStep: (name) => {
      if (name === `do ${stage}`) fail('CONFLICT', { message: 'Not now.' })
      if (name !== `undo ${undone}` || dead) return
      dead = true
      throw new Crash()
    },
  }
}

const CASES: Case[] = [
  {
    stage: 'validate',
    kind: 'a dependency is not there',
    more: 'dependencies: [nobody]',
    code: 'INVALID_DOCUMENT',
  },
  {
    stage: 'validate',
    kind: 'a dependency has left',
    more: 'dependencies: [base]',
    before: async (actor) => {
      const { agent } = await registerAgent(world, actor, {
        document: 'metadata: {name: base, type: a.b, version: "1"}',
      })
      await retireAgent(world, actor, { id: agent.id })
    },
    code: 'INVALID_DOCUMENT',
  },
  {
    stage: 'validate',
    kind: 'it depends on itself',
    more: 'dependencies: [writer]',
    code: 'INVALID_DOCUMENT',
  },
  { stage: 'validate', kind: 'it cannot be validated', worker: broken('validate'), code: 'CONFLICT' },
  { stage: 'validate', kind: 'a mistake of ours', worker: bug('validate'), code: 'INTERNAL' },
  { stage: 'validate', kind: 'the worker dies', worker: crash('do validate', 'validate'), code: 'CONFLICT' },
  {
    stage: 'allocate',
    kind: 'too many instances',
    before: quota({ maxInstances: 1 }),
    code: 'QUOTA_EXCEEDED',
  },
  { stage: 'allocate', kind: 'too much memory', before: quota({ maxMemoryMb: 150 }), code: 'QUOTA_EXCEEDED' },
  { stage: 'allocate', kind: 'too many cores', before: quota({ maxCpuCores: 1.5 }), code: 'QUOTA_EXCEEDED' },
  {
    stage: 'allocate',
    kind: 'another agent took the room meanwhile',
    before: quota({ maxInstances: 2 }),
    meanwhile: async (actor) => {
      const { agent } = await registerAgent(world, actor, {
        document: 'metadata: {name: base, type: a.b, version: "1"}',
      })
      await scaleAgent(world, actor, { agentId: agent.id, instances: 1 })
    },
    code: 'QUOTA_EXCEEDED',
  },
  { stage: 'allocate', kind: 'a mistake of ours', worker: bug('allocate'), code: 'INTERNAL' },
  { stage: 'allocate', kind: 'the worker dies', worker: crash('do allocate', 'allocate'), code: 'CONFLICT' },
  {
    stage: 'create_instances',
    kind: 'they cannot be made',
    worker: broken('create_instances'),
    code: 'CONFLICT',
  },
  { stage: 'create_instances', kind: 'a mistake of ours', worker: bug('create_instances'), code: 'INTERNAL' },
  {
    stage: 'create_instances',
    kind: 'the worker dies',
    worker: crash('do create_instances', 'create_instances'),
    code: 'CONFLICT',
  },
  {
    stage: 'create_instances',
    kind: 'the worker dies undoing the allocation',
    worker: crashInUndo('allocate', 'create_instances'),
    code: 'CONFLICT',
  },
  {
    stage: 'register',
    kind: 'somebody registered the name meanwhile',
    meanwhile: (actor) => registerAgent(world, actor, { document: documentOf('', '1') }),
    code: 'CONFLICT',
  },
  { stage: 'register', kind: 'it cannot be registered', worker: broken('register'), code: 'CONFLICT' },
  { stage: 'register', kind: 'a mistake of ours', worker: bug('register'), code: 'INTERNAL' },
  { stage: 'register', kind: 'the worker dies', worker: crash('do register', 'register'), code: 'CONFLICT' },
  {
    stage: 'register',
    kind: 'the worker dies undoing the instances',
    worker: crashInUndo('create_instances', 'register'),
    code: 'CONFLICT',
  },
  {
    stage: 'monitor',
    kind: 'it does not answer',
    worker: { probe: async () => fail('UNAVAILABLE', { message: 'Nobody there.' }) },
    code: 'UNAVAILABLE',
  },
  {
    stage: 'monitor',
    kind: 'the probe has a mistake',
    worker: {
      probe: async () => {
        throw new Error('A mistake of ours.')
      },
    },
    code: 'INTERNAL',
  },
  { stage: 'monitor', kind: 'what it answered cannot be noted', worker: bug('monitor'), code: 'INTERNAL' },
  {
    stage: 'monitor',
    kind: 'the worker dies, and then nobody answers',
    worker: {
      ...crash('begin monitor', 'never'),
      probe: async () => fail('UNAVAILABLE', { message: 'Nobody there.' }),
    },
    code: 'UNAVAILABLE',
  },
  {
    stage: 'monitor',
    kind: 'the worker dies undoing the registration',
    worker: {
      ...crashInUndo('register', 'never'),
      probe: async () => fail('UNAVAILABLE', { message: 'Nobody there.' }),
    },
    code: 'UNAVAILABLE',
  },
  { stage: 'hand_over', kind: 'it cannot take over', worker: broken('hand_over'), code: 'CONFLICT' },
  { stage: 'hand_over', kind: 'a mistake of ours', worker: bug('hand_over'), code: 'INTERNAL' },
  {
    stage: 'hand_over',
    kind: 'the worker dies',
    worker: crash('do hand_over', 'hand_over'),
    code: 'CONFLICT',
  },
  {
    stage: 'hand_over',
    kind: 'the worker dies noting the end',
    worker: crash('end failed', 'hand_over'),
    code: 'CONFLICT',
  },
]

test('there are thirty of them, some at every stage', () => {
  expect(CASES).toHaveLength(30)
  expect(new Set(CASES.map(({ stage }) => stage))).toEqual(new Set(STAGES))
})

test.each(CASES.map((each) => [each.stage, each.kind, each] as const))(
  'a first deployment fails at %s: %s; nothing of it is left',
  async (stage, _kind, { more, before, meanwhile, worker = {}, code }) => {
    const actor = await world.organization('operator')
    await before?.(actor)
    const request = { document: documentOf(more), instances: 2 }
    const { id } = await deployAgent(world, actor, request)
    await meanwhile?.(actor)
    const others = await leftOf(actor)
    const ended = await workOff(actor, id, worker)
    expect(ended.error).toMatchObject({ stage, code })
    const failed = STAGES.indexOf(stage)
    expect(ended.stages.map(({ status }) => status)).toEqual(
      STAGES.map((_, index) => (index < failed ? 'undone' : index === failed ? 'failed' : 'pending')),
    )
    expect(await leftOf(actor)).toEqual(others)
    const [event] = await world.database.readTenant(
      actor,
      `select data->>'stage' as stage from log.event where type = 'deployment.failed'`,
    )
    expect(event).toEqual({ stage })
  },
)

test.each(STAGES)(
  'a deployment of an agent that is there fails at %s, and the agent is as before',
  async (stage) => {
    const actor = await world.organization('operator')
    const { agent } = await registerAgent(world, actor, { document: documentOf('', '1') })
    await scaleAgent(world, actor, { agentId: agent.id, instances: 3 })
    const before = await leftOf(actor)
    const { id } = await deployAgent(world, actor, { document: documentOf(), instances: 5 })
    expect((await workOff(actor, id, broken(stage))).error).toMatchObject({ stage })
    expect(await leftOf(actor)).toEqual(before)
  },
)

test.each(STAGES)(
  'a worker dies at %s, before and after it, and the next one ends the deployment',
  async (stage) => {
    const actor = await world.organization('operator')
    const { id } = await deployAgent(world, actor, { document: documentOf(), instances: 2 })
    const dead = new Set<string>()
    const worker: Partial<DeploymentWorker> = {
      onStep: (name) => {
        if (![`begin ${stage}`, `do ${stage}`, 'end completed'].includes(name) || dead.has(name)) return
        dead.add(name)
        throw new Crash()
      },
    }
    expect((await workOff(actor, id, worker)).status).toBe('completed')
    expect(dead.size).toBe(3)
    expect(await leftOf(actor)).toMatchObject({
      instances: 2,
      allocations: 1,
      limits: [[expect.any(String), 6]],
      agents: [['writer', 'active', 1, '2', null]],
      versions: [1],
    })
  },
)

test('an agent that something refers to already is retired where it cannot be deleted, and takes no work', async () => {
  const actor = await world.organization('operator')
  const { id } = await deployAgent(world, actor, { document: documentOf(), instances: 2 })
  const worker: Partial<DeploymentWorker> = {
    probe: async (agent) => {
      await world.database.inTenant(actor, (tx) =>
        tx.sql(
          `insert into data_key (organization_id, version, master_key, wrapped)
           values ($1::uuid, (select count(*) + 1 from data_key), 'm', '') returning id`,
          actor.organizationId,
        ),
      )
      await world.database.inTenant(actor, (tx) =>
        tx.sql(
          `insert into credential (organization_id, name, kind, agent_id, origins, data_key_id, nonce, ciphertext)
           select $1::uuid, 'own', 'token', $2::uuid, '{}', id, '', '' from data_key limit 1
           on conflict do nothing returning id`,
          actor.organizationId,
          agent.id,
        ),
      )
      return fail('UNAVAILABLE', { message: 'Nobody there.' })
    },
  }
  expect((await workOff(actor, id, worker)).error).toMatchObject({ stage: 'monitor' })
  expect(await leftOf(actor)).toMatchObject({
    instances: 0,
    allocations: 0,
    agents: [['writer', 'retired', 1, '2', null]],
  })
})

test('of many workers at once one has a deployment, and every stage is done once', async () => {
  const actor = await world.organization('operator')
  const { organizationId } = actor
  const { id } = await deployAgent(world, actor, { document: documentOf(), instances: 2 })
  let probes = 0
  const worker: DeploymentWorker = {
    database: world.database,
    probe: async () => {
      probes += 1
      return {}
    },
  }
  const due = await findDeployments(world.database.pool('worker'))
  expect(due).toContainEqual({ organizationId, id })
  const worked = await Promise.all([1, 2, 3, 4].map(() => workDeployment(worker, { organizationId, id })))
  expect([worked.filter(Boolean).length, probes]).toEqual([1, 1])
  expect(await leftOf(actor)).toMatchObject({ instances: 2, allocations: 1, versions: [1] })
})

test('a deployment of an agent that is there makes its version serve and its instances take over', async () => {
  const actor = await world.organization('operator')
  const { agent } = await registerAgent(world, actor, { document: documentOf('', '1') })
  await scaleAgent(world, actor, { agentId: agent.id, instances: 3 })
  const { id } = await deployAgent(world, actor, {
    document: documentOf(),
    instances: 5,
    idempotencyKey: 'k',
  })
  const again = await deployAgent(world, actor, { document: documentOf(), instances: 5, idempotencyKey: 'k' })
  expect(again.id).toBe(id)
  const refusals = [
    [{ document: documentOf(), instances: 4, idempotencyKey: 'k' }, 'IDEMPOTENCY_KEY_REUSED'],
    [{ document: documentOf() }, 'CONFLICT'],
    [{ document: 'metadata: {}' }, 'INVALID_DOCUMENT'],
    [{ document: documentOf(), instances: 51 }, 'BAD_INPUT'],
  ] as const
  for (const [request, code] of refusals)
    await expect(deployAgent(world, actor, request)).rejects.toMatchObject({ code })
  await expect(retireAgent(world, actor, { id: agent.id })).rejects.toMatchObject({ code: 'INVALID_STATE' })
  await expect(scaleAgent(world, actor, { agentId: agent.id, instances: 2 })).rejects.toMatchObject({
    code: 'INVALID_STATE',
  })
  const ended = await workOff(actor, id, {})
  expect(ended).toMatchObject({ status: 'completed', agentId: agent.id })
  expect(ended.stages.at(-1)?.detail).toEqual({
    version: 2,
    predecessor: { version: 1, status: 'active', finalState: null },
  })
  expect(await leftOf(actor)).toEqual({
    instances: 5,
    allocations: 1,
    limits: [[agent.id, 15]],
    agents: [['writer', 'active', 2, '2', null]],
    versions: [1, 2],
  })
})
