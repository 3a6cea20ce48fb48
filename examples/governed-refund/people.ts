import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

/** Somebody with a key of their own. */
export interface Person {
  name: string
  id: string
  door: Door
}

/** Everybody who has a part, each another principal. */
export interface Cast {
  /** operator: has refunds made. */
  olga: Person
  /** approver, lends her right to Dan. */
  ada: Person
  /** approver. */
  ben: Person
  /** May decide what somebody lends him the right to. */
  dan: Person
  /** Of the group {@link FINANCE}; no approver. */
  cleo: Person
  /** admin, on call when nobody decides. */
  ines: Person
  /** A key of the agent's that could decide, were it a person's. */
  agent: Person
}

export const FINANCE = 'refund_finance'
const CONTROLLER = 'refund_controller'
const LASTS_MS = 60 * 60_000

const CREATE_KEY = `mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id principalId } }
}`
const SET_ROLE = `mutation SetRole($input: SetRoleInput!) { setRole(input: $input) { role { name } } }`
const ASSIGN = `mutation AssignRole($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }`
const SET_GROUP = `mutation SetGroup($input: SetGroupInput!) { setGroup(input: $input) { group { id } } }`
const REVOKE = `mutation RevokeApiKey($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }`

/** Makes everybody, by an administrator's key; all their keys are taken back when it is disposed of, and end in an hour anyway. */
export async function createCast(door: Door): Promise<{ cast: Cast } & AsyncDisposable> {
  await using building = new AsyncDisposableStack()
  const expiresAt = new Date(Date.now() + LASTS_MS).toISOString()
  const create = async (name: string, roles: string[], kind = 'person'): Promise<Person> => {
    const { createApiKey: made } = await ask<{
      createApiKey: { secret: string; apiKey: { id: string; principalId: string } }
    }>(door, CREATE_KEY, { input: { principalName: name, kind, roles, expiresAt } })
    building.defer(async () => void (await ask(door, REVOKE, { id: made.apiKey.id })))
    return {
      name,
      id: made.apiKey.principalId,
      door: { url: door.url, key: made.secret, keySource: name },
    }
  }
  const cast = {
    olga: await create('Olga Nyberg', ['operator']),
    ada: await create('Ada Lindqvist', ['approver']),
    ben: await create('Ben Carter', ['approver']),
    dan: await create('Dan Osei', ['viewer']),
    cleo: await create('Cleo Martin', ['viewer']),
    ines: await create('Ines Ferrari', ['admin']),
    agent: await create('key of refund_agent', ['agent', 'approver'], 'agent'),
  }
  await ask(door, SET_ROLE, {
    input: {
      name: CONTROLLER,
      description: 'Decides on refunds, where a group or a delegation says so.',
      scopes: ['approvals:decide'],
    },
  })
  for (const { id } of [cast.dan, cast.cleo])
    await ask(door, ASSIGN, {
      input: { role: CONTROLLER, principalId: id, expiresAt, reason: 'governed-refund' },
    })
  await ask(door, SET_GROUP, {
    input: { name: FINANCE, description: 'Looks at large refunds.', memberIds: [cast.cleo.id] },
  })
  const made = building.move()
  return { cast, [Symbol.asyncDispose]: () => made.disposeAsync() }
}
