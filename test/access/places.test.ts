import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Caller, codesOf, openCaller } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'

let world: World
let org: Organization
/** A viewer everywhere, and an operator in the team `east` alone. */
let leader: Caller
/** A viewer everywhere, and an operator in the domain of `east` and `west`. */
let head: Caller
let teams: Record<'east' | 'west' | 'elsewhere', string>
let domains: string[]

const register = (name: string) => `metadata: { name: ${name}, type: test.agent, version: 1.0.0 }
capabilities: [test]
executor: { type: builtin, function: sentiment }`
const workflow = (name: string, step: string) => `name: ${name}
inputs: [message]
steps:
  - { name: step, ${step}, input: message, output: answer }`

/** Whichever agent has the capability does it. */
const ANYBODY = `format: tutti/1
name: of-anybody
steps:
  - { name: step, capability: test }`

/** The one field that a mutation of the administrator answers with. */
async function admin<Answer>(mutation: string): Promise<Answer> {
  const data = await org.as('admin').query<Record<string, Answer>>(`mutation { ${mutation} }`)
  const [answer] = Object.values(data)
  if (answer === undefined) throw new Error(`${mutation} answered with nothing.`)
  return answer
}
async function person(name: string, place: string): Promise<Caller> {
  const made = await admin<{ secret: string; apiKey: { principalId: string } }>(
    `createApiKey(input: { principalName: "${name}", roles: ["viewer"] }) { secret apiKey { principalId } }`,
  )
  const { principalId } = made.apiKey
  await admin(
    `assignRole(input: { role: "operator", principalId: "${principalId}", ${place} }) { assignment { id } }`,
  )
  return openCaller(world.url, made.secret)
}

beforeAll(async () => {
  world = await startWorld()
  org = await world.organization()
  domains = []
  for (const name of ['sales', 'support']) {
    const { domain } = await admin<{ domain: { id: string } }>(
      `createDomain(input: { name: "${name}" }) { domain { id } }`,
    )
    domains.push(domain.id)
  }
  const team = async (name: string, domainId: string | undefined) =>
    (
      await admin<{ team: { id: string } }>(
        `createTeam(input: { name: "${name}", domainId: "${domainId}" }) { team { id } }`,
      )
    ).team.id
  teams = {
    east: await team('east', domains[0]),
    west: await team('west', domains[0]),
    elsewhere: await team('elsewhere', domains[1]),
  }
  leader = await person('Leader', `teamId: "${teams.east}"`)
  head = await person('Head', `domainId: "${domains[0]}"`)
})
afterAll(() => world[Symbol.asyncDispose]())

const REGISTER = `mutation ($document: String!, $teamId: ID) {
  registerAgent(input: { document: $document, teamId: $teamId }) { agent { id } }
}`
const registers = async (caller: Caller, name: string, teamId: string | null) =>
  codesOf(await caller.send(REGISTER, { document: register(name), teamId }))

test('agents are registered, changed and retired where one may, and nowhere else', async () => {
  expect(await registers(leader, 'one', teams.east)).toEqual([])
  expect(await registers(leader, 'two', teams.west)).toEqual(['FORBIDDEN'])
  expect(await registers(leader, 'two', null)).toEqual(['FORBIDDEN'])
  expect(await registers(head, 'two', teams.west)).toEqual([])
  expect(await registers(head, 'three', teams.elsewhere)).toEqual(['FORBIDDEN'])
  // Neither taken over nor given away.
  expect(await registers(leader, 'two', teams.east)).toEqual(['FORBIDDEN'])
  expect(await registers(leader, 'one', teams.west)).toEqual(['FORBIDDEN'])
  const { agents } = await org
    .as('viewer')
    .query<{ agents: { nodes: { id: string; name: string; team: { name: string } }[] } }>(
      '{ agents { nodes { id name team { name } } } }',
    )
  expect(agents.nodes.map(({ name, team }) => [name, team.name]).toSorted(byName)).toEqual([
    ['one', 'east'],
    ['two', 'west'],
  ])
  const two = agents.nodes.find(({ name }) => name === 'two')?.id
  const retire = 'mutation ($id: ID!) { retireAgent(input: { id: $id }) { agent { id } } }'
  expect(codesOf(await leader.send(retire, { id: two }))).toEqual(['FORBIDDEN'])
  const update = `mutation ($id: ID!, $document: String!) {
    updateAgent(input: { agentId: $id, document: $document }) { created }
  }`
  expect(codesOf(await leader.send(update, { id: two, document: register('two') }))).toEqual(['FORBIDDEN'])
  expect(codesOf(await head.send(update, { id: two, document: register('two') }))).toEqual([])
  for (const mutation of [
    'serveAgentVersion(input: { agentId: $id, number: 1 }) { agent { id } }',
    'scaleAgent(input: { agentId: $id, instances: 2 }) { agent { id } }',
    'restoreAgent(input: { id: $id }) { agent { id } }',
  ])
    expect(codesOf(await leader.send(`mutation ($id: ID!) { ${mutation} }`, { id: two }))).toEqual([
      'FORBIDDEN',
    ])
})

test('teams are made by whoever leads their domain', async () => {
  const make = async (caller: Caller, domainId: string | undefined) =>
    codesOf(
      await caller.send(
        `mutation { createTeam(input: { name: "north", domainId: "${domainId}" }) { team { name } } }`,
      ),
    )
  expect(await make(head, domains[1])).toEqual(['FORBIDDEN'])
  expect(await make(leader, domains[0])).toEqual(['FORBIDDEN'])
  expect(await make(head, domains[0])).toEqual([])
})

test('a run starts where each of its agents is in one’s place', async () => {
  for (const [name, team] of Object.entries(teams)) await registers(org.as('admin'), `agent-${name}`, team)
  const apply =
    'mutation ($document: String!) { applyWorkflow(input: { document: $document }) { workflow { id } } }'
  for (const name of Object.keys(teams))
    await org.as('admin').query(apply, { document: workflow(`of-${name}`, `agent: agent-${name}`) })
  await org.as('admin').query(apply, { document: ANYBODY })
  const start = async (caller: Caller, name: string) =>
    codesOf(
      await caller.send(
        `mutation { startRun(input: { workflowName: "${name}", input: { message: "m" } }) { created } }`,
      ),
    )
  expect(await start(leader, 'of-east')).toEqual([])
  expect(await start(leader, 'of-west')).toEqual(['FORBIDDEN'])
  expect(await start(head, 'of-west')).toEqual([])
  expect(await start(head, 'of-elsewhere')).toEqual(['FORBIDDEN'])
  expect(await start(head, 'of-anybody')).toEqual(['FORBIDDEN'])
  expect(await start(head, 'of-nobody')).toEqual(['NOT_FOUND'])
})

test('a refusal for the place is a denial in the audit trail like any other', async () => {
  expect(await registers(leader, 'elsewhere', teams.west)).toEqual(['FORBIDDEN'])
  const { viewer } = await leader.query<{ viewer: { id: string } }>('{ viewer { id } }')
  const { auditEntries } = await org
    .as('admin')
    .query<{ auditEntries: { nodes: { actorId: string; outcome: string }[] } }>(
      '{ auditEntries(subject: "operation/Mutation.registerAgent", actionType: "denial", first: 1) { nodes { actorId outcome } } }',
    )
  expect(auditEntries.nodes).toEqual([{ actorId: viewer.id, outcome: 'FORBIDDEN' }])
})

test('where the place is not looked at, a role of one place opens nothing', async () => {
  const refused = [
    `setScalingPolicy(input: { agentId: "${teams.east}", policy: {} }) { agent { id } }`,
    `cancelRun(input: { id: "${teams.east}" }) { run { id } }`,
    `createDomain(input: { name: "x" }) { domain { id } }`,
  ]
  for (const mutation of refused)
    expect([mutation, codesOf(await leader.send(`mutation { ${mutation} }`))]).toEqual([
      mutation,
      ['FORBIDDEN'],
    ])
  const { viewer } = await leader.query<{ viewer: { roles: string[]; within: { teamId: string }[] } }>(
    '{ viewer { roles within { teamId scopes } } }',
  )
  expect(viewer).toMatchObject({ roles: ['viewer'], within: [{ teamId: teams.east }] })
})

const byName = ([a = '']: string[], [b = '']: string[]): number => (a < b ? -1 : 1)
