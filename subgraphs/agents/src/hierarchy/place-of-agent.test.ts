import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'
import { placeOfAgent } from './place-of-agent.ts'

let agents: AgentsWorld

beforeAll(async () => {
  agents = await openAgents()
})
afterAll(() => agents[Symbol.asyncDispose]())

test('an agent is of its team and that team’s domain; one without a team, of another organization or of nobody is nowhere', async () => {
  const [admin, stranger] = [await agents.world.organization(), await agents.world.organization()]
  const domain = await agents.ask(
    admin,
    'mutation { createDomain(input: { name: "product" }) { domain { id } } }',
  )
  const domainId: string = domain.data.createDomain.domain.id
  const team = await agents.ask(
    admin,
    'mutation ($domainId: ID!) { createTeam(input: { domainId: $domainId, name: "replies" }) { team { id } } }',
    { domainId },
  )
  const teamId: string = team.data.createTeam.team.id
  const register = async (name: string, of: string | null): Promise<string> => {
    const { data } = await agents.ask(
      admin,
      'mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) { agent { id } } }',
      {
        input: {
          document: `metadata: { name: ${name}, type: service.test, version: 1.0.0 }\ncapabilities: [test]\nexecutor: { type: builtin, function: sentiment }\n`,
          teamId: of,
        },
      },
    )
    return data.registerAgent.agent.id
  }
  const [inTeam, alone] = [await register('in-team', teamId), await register('alone', null)]
  const nowhere = { teamId: null, domainId: null }
  expect(await placeOfAgent(agents.world, admin, inTeam)).toEqual({ teamId, domainId })
  expect(await placeOfAgent(agents.world, admin, alone)).toEqual(nowhere)
  expect(await placeOfAgent(agents.world, stranger, inTeam)).toEqual(nowhere)
  expect(await placeOfAgent(agents.world, admin, null)).toEqual(nowhere)
  expect(await placeOfAgent(agents.world, admin, 'not-an-id')).toEqual(nowhere)
})
