import type { Data } from '@tutti/prisma'
import { testActor } from '@tutti/prisma/testing'
import type { Lifecycle, RunningSubgraph } from '@tutti/runtime'
import { type Actor, ROLES, type Role } from '@tutti/schema'
import { type Caller, openCaller } from './caller.ts'

/** A tenant, and somebody in it for each role. */
export interface Organization {
  id: string
  name: string
  /** Over real HTTP with a real key. The agent's key is an agent's, the others are persons'. */
  as(role: Role): Caller
  /** The same somebody for calls around the gateway. */
  actor(role: Role): Actor
}

/** What an organization is made in. */
export interface Ground {
  url: string
  data: Data
  subgraphs: readonly RunningSubgraph[]
  lifecycle: Lifecycle
}

const CREATE_KEY = `mutation($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id } }
}`

/** Makes an organization, and its principals and keys by the platform's own mutation. */
export async function makeOrganization(
  { url, data, subgraphs, lifecycle }: Ground,
  name = 'organization',
): Promise<Organization> {
  const founder = testActor('admin')
  const { organizationId } = founder
  await data.database.inTenant(founder, (tx) => tx.db.organization.create({ data: { organizationId, name } }))
  const governance = subgraphs.find((each) => each.name === 'governance')
  const callers = new Map<Role, Caller>()
  const actors = new Map<Role, Actor>()
  for (const role of ROLES) {
    const kind = role === 'agent' ? 'agent' : 'person'
    const input = { principalName: `${role} of ${name}`, kind, roles: [role] }
    const made = await governance?.execute({ query: CREATE_KEY, variables: { input }, actor: founder })
    const { secret, apiKey } = JSON.parse(JSON.stringify(made?.data ?? made)).createApiKey
    const caller = openCaller(url, secret)
    lifecycle.onStop(() => caller.close())
    callers.set(role, caller)
    const { viewer } = await caller.query<{ viewer: { id: string; name: string } }>('{ viewer { id name } }')
    actors.set(role, {
      ...testActor(role, organizationId),
      id: viewer.id,
      name: viewer.name,
      credentialId: apiKey.id,
    })
  }
  const of = <Value>(map: Map<Role, Value>, role: Role): Value => {
    const value = map.get(role)
    if (!value) throw new Error(`Nobody is ${role}.`)
    return value
  }
  return { id: organizationId, name, as: (role) => of(callers, role), actor: (role) => of(actors, role) }
}
