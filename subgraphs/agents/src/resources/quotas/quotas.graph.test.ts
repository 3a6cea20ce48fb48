import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerAgent } from '../../agents/register-agent.ts'
import { createDomain } from '../../hierarchy/create-domain.ts'
import { createTeam } from '../../hierarchy/create-team.ts'
import { agents } from '../../index.ts'

let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let admin: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
})
beforeEach(async () => {
  admin = await world.organization('admin')
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(query: string, variables: Record<string, unknown> = {}) {
  const { data, errors } = await subgraph.execute({ query, variables, actor: admin })
  return {
    data: JSON.parse(JSON.stringify(data ?? null)),
    codes: errors?.map((error) => error.extensions['code']),
    messages: errors?.flatMap((error) => {
      const problems = error.extensions['problems']
      return Array.isArray(problems) ? problems.map(({ message }) => message) : error.message
    }),
  }
}
const BOUND = '{ max allocated left }'
const QUOTA = `id domain { name } team { name } instances ${BOUND} tasks ${BOUND} memoryMb ${BOUND} storageMb ${BOUND} bandwidthMbps ${BOUND}`
const setQuota = (input: object) =>
  ask(`mutation ($input: SetQuotaInput!) { setQuota(input: $input) { quota { ${QUOTA} } } }`, { input })
const scale = (agentId: string, instances: number) =>
  ask('mutation ($input: ScaleAgentInput!) { scaleAgent(input: $input) { from } }', {
    input: { agentId, instances },
  })

/** Two agents, each in a team of its own, in one domain; an instance takes 4 tasks, 100 MB of storage and 10 Mbit/s. */
async function organization() {
  const { id: domainId } = await createDomain(world, admin, { name: 'product' })
  const made = []
  for (const name of ['writers', 'editors']) {
    const { id: teamId } = await createTeam(world, admin, { domainId, name })
    const document = `
metadata: { name: ${name}, type: test.agent, version: 1.0.0 }
resource_requirements: { max_concurrent_tasks: 4, storage_mb: 100, bandwidth_mbps: 10 }
executor: { type: builtin, function: sentiment }
`
    const { agent } = await registerAgent(world, admin, { document, teamId })
    made.push({ teamId, agentId: agent.id })
  }
  const [writers, editors] = made
  return writers && editors ? { domainId, writers, editors } : expect.unreachable()
}

test('tasks at once are bounded for the organization, a domain and a team, each named with what is free', async () => {
  const { domainId, writers, editors } = await organization()
  await setQuota({ maxTasks: 40 })
  await setQuota({ domainId, maxTasks: 20 })
  await setQuota({ teamId: writers.teamId, maxTasks: 12 })
  expect((await scale(writers.agentId, 2)).codes).toBeUndefined()
  expect((await scale(editors.agentId, 2)).codes).toBeUndefined()
  const refused = await scale(writers.agentId, 4)
  expect(refused).toMatchObject({
    codes: ['QUOTA_EXCEEDED'],
    messages: [
      '16 tasks at once do not fit: the team "writers" has 12, of which 0 are in use and 12 free.',
      '16 tasks at once do not fit: the domain "product" has 20, of which 8 are in use and 12 free.',
    ],
  })
  const { data } = await ask(`{ quotas { nodes { ${QUOTA} } } }`)
  expect(data.quotas.nodes).toMatchObject([
    { domain: null, team: null, tasks: { max: 40, allocated: 16, left: 24 } },
    { domain: { name: 'product' }, team: null, tasks: { max: 20, allocated: 16, left: 4 } },
    { domain: null, team: { name: 'writers' }, tasks: { max: 12, allocated: 8, left: 4 } },
  ])
  expect((await scale(writers.agentId, 3)).codes).toBeUndefined()
})

test('storage and bandwidth are set aside, and what is there stays above a quota that is smaller', async () => {
  const { writers } = await organization()
  await scale(writers.agentId, 3)
  const { data } = await setQuota({ maxStorageMb: 250, maxBandwidthMbps: 100 })
  expect(data.setQuota.quota).toMatchObject({
    instances: { max: null, allocated: 3, left: null },
    storageMb: { max: 250, allocated: 300, left: 0 },
    bandwidthMbps: { max: 100, allocated: 30, left: 70 },
  })
  expect((await scale(writers.agentId, 4)).codes).toEqual(['QUOTA_EXCEEDED'])
  expect((await scale(writers.agentId, 2)).codes).toBeUndefined()
  // Set again it is replaced: nothing is bounded any more.
  await setQuota({})
  expect((await scale(writers.agentId, 50)).codes).toBeUndefined()
  expect((await ask('{ quotas { nodes { id } } }')).data.quotas.nodes).toHaveLength(1)
})

test('a quota names budgets about the same, and is of a domain or a team that is there', async () => {
  const { domainId, writers } = await organization()
  await ask(
    `mutation ($team: ID!) { setBudget(input: { name: "b", teamId: $team, window: DAY, maxUsd: 5 }) { budget { id } } }`,
    { team: writers.teamId },
  )
  await setQuota({ teamId: writers.teamId, maxInstances: 5 })
  await setQuota({ domainId, maxInstances: 5 })
  const { data } = await ask('{ quotas { nodes { budgets { name } } } }')
  expect(data.quotas.nodes).toEqual([{ budgets: [{ name: 'b' }] }, { budgets: [] }])
  expect((await setQuota({ teamId: domainId })).codes).toEqual(['NOT_FOUND'])
  expect((await setQuota({ domainId, teamId: writers.teamId })).codes).toEqual(['BAD_INPUT'])
})

test('what of a quota is in use is measured where it can be: tasks under way', async () => {
  const { domainId, writers, editors } = await organization()
  await scale(writers.agentId, 3)
  for (const of of [{}, { domainId }, { teamId: writers.teamId }, { teamId: editors.teamId }])
    await setQuota({ ...of, maxTasks: 40 })
  await world.database.inTenant(admin, (tx) =>
    tx.sql(
      `with w as (
         insert into workflow (organization_id, name, latest_version) values ($1::uuid, 'w', 1) returning id
       ), v as (
         insert into workflow_version (organization_id, workflow_id, version, source, source_hash, definition)
         select $1::uuid, w.id, 1, '', '', '{}' from w returning id, workflow_id
       ), r as (
         insert into run (organization_id, workflow_id, version_id, status, input, started_by)
         select $1::uuid, v.workflow_id, v.id, 'running', '{}', '{}' from v returning id, workflow_id
       )
       insert into strand (organization_id, run_id, workflow_id, status, agent_id, wait_key, due_at)
       select $1::uuid, r.id, r.workflow_id, s.status, s.agent, s.key, clock_timestamp() from r, (values ('running', $2::uuid, null),
         ('running', $2::uuid, null), ('waiting', $3::uuid, 'worker:1'), ('waiting', $3::uuid, 'signal:go'),
         ('ready', $2::uuid, null)) s (status, agent, key) returning id`,
      admin.organizationId,
      writers.agentId,
      editors.agentId,
    ),
  )
  const { data } = await ask(
    '{ quotas { nodes { domain { name } team { name } tasks { allocated used } instances { used } memoryMb { used } } } }',
  )
  const nothing = { instances: { used: null }, memoryMb: { used: null } }
  expect(data.quotas.nodes).toEqual([
    { domain: null, team: null, tasks: { allocated: 12, used: 3 }, ...nothing },
    { domain: { name: 'product' }, team: null, tasks: { allocated: 12, used: 3 }, ...nothing },
    { domain: null, team: { name: 'writers' }, tasks: { allocated: 12, used: 2 }, ...nothing },
    { domain: null, team: { name: 'editors' }, tasks: { allocated: 0, used: 1 }, ...nothing },
  ])
})
