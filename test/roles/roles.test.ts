import { setTimeout as wait } from 'node:timers/promises'
import { openEscalation, requestApproval } from '@tutti/governance/domain'
import { ROLES, type Role } from '@tutti/schema'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LEAVES } from '../tenancy/arguments.ts'
import { readTables, type Table, WITHOUT_TENANT } from '../tenancy/catalog.ts'
import { argumentsOf, documentOf, doorsOf } from '../tenancy/operations.ts'
import { makeEverything, mark, type Possessions } from '../tenancy/possessions.ts'
import { readRows } from '../tenancy/rows-of.ts'
import { type Answer, codesOf, openCaller } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { isAllowed, requirementsOf, supergraph } from './allowed-roles.ts'

let world: World
let org: Organization
let things: Possessions
let tables: Table[]

beforeAll(async () => {
  world = await startWorld()
  const owner = new pg.Client({ connectionString: world.databaseUrl })
  await owner.connect()
  tables = (await readTables(owner)).filter(
    ({ name }) => ![...WITHOUT_TENANT, 'public.audit_entry'].includes(name),
  )
  await owner.end()
  org = await world.organization(mark('organization'))
  const everything = await makeEverything(world, org)
  things = { org, ...everything, spare: everything }
  await world.asOwner(
    `insert into log.event (organization_id, type, subject, actor, data)
     values ($1, 'agent.unhealthy', 'agent/' || $2, '{"id": "t", "kind": "system", "name": "t"}',
       jsonb_build_object('agentId', $2::text, 'name', 'n', 'reason', 'r'))`,
    [org.id, everything.ids.agent],
  )
  await world.asOwner(
    `insert into log.event (organization_id, type, subject, actor, data)
     values ($1, 'deployment.started', 'deployment/' || $2, '{"id": "t", "kind": "system", "name": "t"}',
       jsonb_build_object('deploymentId', $2::text, 'agentId', $2::text, 'name', 'n'))`,
    [org.id, everything.ids.deployment],
  )
  // An agent's key works, and hears of work, for the agent of its name.
  await org
    .as('admin')
    .query(
      'mutation($document: String!) { registerAgent(input: { document: $document }) { agent { id } } }',
      {
        document: `metadata: { name: "${org.actor('agent').name}", type: service.test, version: 1.0.0 }`,
      },
    )
})
afterAll(() => world[Symbol.asyncDispose]())

/** Everything of the organization; of its audit trail all but the denials, which a refusal may well record. */
async function state(): Promise<unknown> {
  const [entries] = await world.asOwner(
    `select count(*)::int as entries from audit_entry where organization_id = $1 and action_type <> 'denial'`,
    [org.id],
  )
  const { counts, digest } = await readRows(world, tables, org.id)
  return { counts, digest, entries }
}

const doors = doorsOf(supergraph).filter(({ host }) => host === undefined)
const requests = doors.filter(({ operation }) => operation !== 'subscription')
const feeds = doors.filter(({ operation }) => operation === 'subscription')
const titled = <Each extends { type: string; field: { name: string } }>(each: Each) => ({
  ...each,
  title: `${each.type}.${each.field.name}`,
})

// Whoever is told says where they are, and an administrator where others are.
const OF_ONESELF = ['setNotificationChannel', 'removeNotificationChannel']

test('the schema asks something of whoever calls, at every root field', () => {
  expect(doors.length).toBeGreaterThan(45)
  expect(doors.filter(({ field }) => requirementsOf(field).length === 0)).toEqual([])
})

describe.each(requests.map(titled))('$title', (door) => {
  const ask = (): [string, Record<string, unknown>] => {
    const given = argumentsOf(door, LEAVES, things)
    return [documentOf(door, given, 0), given]
  }
  const forbidden = ROLES.filter((role) => !isAllowed(role, door.field))
  const allowed = ROLES.filter((role) => isAllowed(role, door.field))

  test(`is refused to ${forbidden.join(', ') || 'no role'}, and changes nothing`, async () => {
    const before = await state()
    for (const role of forbidden) {
      const answer = await org.as(role).send(...ask())
      expect([role, codesOf(answer), dataOf(answer)]).toEqual([role, ['FORBIDDEN'], null])
      expect(answer.status).toBe(403)
    }
    expect(await state()).toEqual(before)
  })

  test('is refused again by its subgraph, and changes nothing', async () => {
    // A field of the root type, before the brace that ends it; inputs may have one of the same name.
    const field = new RegExp(`^(extend )?type ${door.type}\\b(?:(?!^\\}).)*?^ {2}${door.field.name}\\b`, 'ms')
    const running = world.subgraphs.find(({ sdl }) => field.test(sdl))
    const [query, variables] = ask()
    const before = await state()
    for (const role of forbidden) {
      const result = await running?.execute({ query, variables, actor: org.actor(role) })
      expect([role, result?.errors?.map(({ extensions }) => extensions['code'])]).toEqual([
        role,
        ['FORBIDDEN'],
      ])
    }
    expect(await state()).toEqual(before)
  })

  test('gives nobody anything but the error', async () => {
    const before = await state()
    for (const key of [null, `tutti_${'A'.repeat(43)}`, 'tutti_short', 'not.a.token']) {
      const answer = await openCaller(world.url, key).send(...ask())
      expect(answer.status).toBe(401)
      expect([codesOf(answer), dataOf(answer)]).toEqual([['UNAUTHENTICATED'], null])
    }
    expect(await state()).toEqual(before)
  })

  test(`is open to ${allowed.join(', ') || 'no role'}`, async () => {
    for (const role of allowed) {
      const codes = codesOf(await org.as(role).send(...ask()))
      // What it is about may be settled by now; that is not a refusal.
      expect([
        role,
        codes.filter((code) => {
          if (code === 'FORBIDDEN') return !(OF_ONESELF.includes(door.field.name) && role !== 'admin')
          return ['UNAUTHENTICATED', 'INTERNAL'].includes(code)
        }),
      ]).toEqual([role, []])
    }
  })
})

describe.each(feeds.map(titled))('$title', (door) => {
  const after = '0'.repeat(13)
  const document = documentOf(door, { after }, 0)

  test.each(ROLES)('is open to %s exactly when the schema says so', async (role) => {
    const first = org.as(role).subscribe(document, { after }).next()
    if (isAllowed(role, door.field)) {
      const { value } = await first
      expect(value).toMatchObject({ data: { [door.field.name]: expect.anything() } })
      expect(value).not.toHaveProperty('errors')
    } else {
      expect(await codesOfRefusal(first)).toEqual(['FORBIDDEN'])
    }
  })

  test('lets nobody in without a credential', async () => {
    const nobody = openCaller(world.url, null)
    await expect(nobody.subscribe(document, { after }).next()).rejects.toMatchObject({ code: 4401 })
    await nobody.close()
  })
})

describe('who may do what', () => {
  // Written out, so that a scope given to one role too many is seen although the schema and the roles agree.
  test.each<[string, Role[]]>([
    ['startRun', ['admin', 'operator']],
    ['startRuns', ['admin', 'operator']],
    ['cancelRun', ['admin', 'operator']],
    ['applyWorkflow', ['admin', 'operator']],
    ['createTrigger', ['admin', 'operator']],
    ['fireTrigger', ['admin', 'operator']],
    ['signalRun', ['admin', 'operator']],
    ['pauseRun', ['admin', 'operator']],
    ['retryRun', ['admin', 'operator']],
    ['forkRun', ['admin', 'operator']],
    ['completeTaskByHand', ['admin', 'operator']],
    ['bulkControlRuns', ['admin', 'operator']],
    ['contain', ['admin', 'operator']],
    ['liftContainment', ['admin', 'operator']],
    ['publishEvent', ['admin', 'operator', 'agent']],
    ['setLimit', ['admin']],
    ['removeLimit', ['admin']],
    ['applySettings', ['admin']],
    ['publishWorkflowVersion', ['admin', 'operator']],
    ['migrateRuns', ['admin', 'operator']],
    ['registerAgent', ['admin', 'operator']],
    ['retireAgent', ['admin', 'operator']],
    ['updateAgent', ['admin', 'operator']],
    ['serveAgentVersion', ['admin', 'operator']],
    ['scaleAgent', ['admin', 'operator']],
    ['restoreAgent', ['admin', 'operator']],
    ['setScalingPolicy', ['admin', 'operator']],
    ['rebalance', ['admin', 'operator']],
    ['setRebalancing', ['admin', 'operator']],
    ['deployAgent', ['admin', 'operator']],
    ['setReliability', ['admin', 'operator']],
    ['resetBreaker', ['admin', 'operator']],
    ['setProviderBreaker', ['admin', 'operator']],
    ['purgeResponseCache', ['admin', 'operator']],
    ['createTeam', ['admin', 'operator']],
    ['publishArticles', ['admin', 'operator']],
    ['decideApproval', ['admin', 'approver']],
    ['decideApprovals', ['admin', 'approver']],
    ['delegateApprovals', ['admin', 'approver']],
    ['endDelegation', ['admin', 'approver']],
    ['requestApproval', ['admin', 'operator', 'agent']],
    ['resubmitApproval', ['admin', 'operator', 'agent']],
    ['useApproval', ['admin', 'operator', 'agent']],
    ['acknowledgeEscalation', ['admin', 'operator', 'approver']],
    ['resolveEscalation', ['admin', 'operator', 'approver']],
    ['raiseEscalation', ['admin', 'operator', 'approver']],
    ['reassignEscalation', ['admin', 'operator', 'approver']],
    ['commentEscalation', ['admin', 'operator', 'approver']],
    ['setEscalationPolicy', ['admin']],
    ['removeEscalationPolicy', ['admin']],
    ['setOnCallSchedule', ['admin']],
    ['setNotificationChannel', ['admin', 'operator', 'approver']],
    ['removeNotificationChannel', ['admin', 'operator', 'approver']],
    ['removeOnCallSchedule', ['admin']],
    ['overrideOnCall', ['admin', 'operator', 'approver']],
    ['removeOnCallOverride', ['admin', 'operator', 'approver']],
    ['openIncident', ['admin', 'operator']],
    ['resolveIncident', ['admin', 'operator']],
    ['retryPutAsideEvents', ['admin', 'operator']],
    ['createPolicy', ['admin']],
    ['updatePolicy', ['admin']],
    ['submitPolicy', ['admin']],
    ['reviewPolicy', ['admin', 'approver']],
    ['retirePolicy', ['admin']],
    ['requestPolicyException', ['admin', 'operator', 'agent']],
    ['decidePolicyException', ['admin', 'approver']],
    ['setAuthority', ['admin']],
    ['createApiKey', ['admin']],
    ['setCredential', ['admin']],
    ['revealSigningSecret', ['admin']],
    ['rotateCredential', ['admin']],
    ['deleteCredential', ['admin']],
    ['rotateDataKey', ['admin']],
    ['revokeApiKey', ['admin']],
    ['rotateApiKey', ['admin']],
    ['setRole', ['admin']],
    ['removeRole', ['admin']],
    ['deactivatePrincipal', ['admin']],
    ['reactivatePrincipal', ['admin']],
    ['setGroup', ['admin']],
    ['assignRole', ['admin']],
    ['revokeAssignment', ['admin']],
    ['breakGlass', ['admin']],
    ['reviewBreakGlass', ['admin']],
    ['setIdentityProvider', ['admin']],
    ['removeIdentityProvider', ['admin']],
    ['rewrapIdentityProviders', ['admin']],
    ['endSessions', ['admin']],
    ['eraseSubject', ['admin']],
    ['cancelAuditExport', ['admin']],
    ['appendAuditEntry', ['admin', 'agent']],
    ['assessQuality', ['admin', 'operator', 'agent']],
  ])('%s: %s', (name, roles) => {
    const field = supergraph.getMutationType()?.getFields()[name]
    expect(field && ROLES.filter((role) => isAllowed(role, field))).toEqual(roles)
  })

  test.each([
    'apiKeys',
    'roles',
    'groups',
    'roleAssignments',
    'accessReview',
    'breakGlassUses',
    'identityProviders',
    'credentials',
  ])('%s are read by administrators alone', (name) => {
    const field = supergraph.getQueryType()?.getFields()[name]
    expect(field && ROLES.filter((role) => isAllowed(role, field))).toEqual(['admin'])
  })
})

const START = `mutation($id: ID!) {
  startRun(input: { workflowId: $id, input: { message: "m" } }) { created run { id status } }
}`
const DECIDE = `mutation($id: ID!) {
  decideApproval(input: { id: $id, decision: APPROVE }) { approval { id status decidedBy { name } } }
}`

/** A question that the operator asks. */
const newApproval = async (): Promise<string> => {
  const asked = await requestApproval({ database: world.data.database }, org.actor('operator'), {
    requestKey: mark('key'),
    title: 'May we?',
    action: 'do',
    arguments: {},
    reason: 'we want to',
  })
  return asked.id
}
const statusOf = async (id: string): Promise<unknown> => {
  const data = await org
    .as('viewer')
    .query<{ approval: { status: string } }>('query($id: ID!) { approval(id: $id) { status } }', { id })
  return data.approval.status
}

test('a viewer cannot start a run, nor an approver; an operator and an administrator can', async () => {
  const start = async (role: Role) => codesOf(await org.as(role).send(START, { id: things.ids.workflow }))
  expect(await start('viewer')).toEqual(['FORBIDDEN'])
  expect(await start('approver')).toEqual(['FORBIDDEN'])
  expect(await start('agent')).toEqual(['FORBIDDEN'])
  expect(await start('operator')).toEqual([])
  expect(await start('admin')).toEqual([])
})

test('a viewer cannot decide, nor an operator; an approver and an administrator can', async () => {
  for (const role of ['approver', 'admin'] as const) {
    const id = await newApproval()
    for (const other of ['viewer', 'operator', 'agent'] as const)
      expect(codesOf(await org.as(other).send(DECIDE, { id }))).toEqual(['FORBIDDEN'])
    expect(await statusOf(id)).toBe('PENDING')
    expect(await org.as(role).query(DECIDE, { id })).toEqual({
      decideApproval: { approval: { id, status: 'APPROVED', decidedBy: { name: org.actor(role).name } } },
    })
  }
})

describe('an agent’s key', () => {
  const escalate = async (actor = org.actor('agent')): Promise<string> => {
    const { approvalId } = await openEscalation({ database: world.data.database }, actor, {
      requestKey: mark('key'),
      title: 'I do not know',
      reason: 'unsure',
      level: 'person',
      approval: { title: 'May I?', action: 'send', arguments: {}, reason: 'unsure' },
    })
    return approvalId ?? ''
  }
  const REQUEST = `mutation($key: String!) {
    requestApproval(input: { title: "May I?", action: "send", arguments: {}, reason: "r", idempotencyKey: $key }) {
      approval { id }
    }
  }`

  test('approves neither its own escalation nor anything', async () => {
    const asked = await org
      .as('agent')
      .query<{ requestApproval: { approval: { id: string } } }>(REQUEST, { key: mark('key') })
    for (const id of [await escalate(), asked.requestApproval.approval.id, await newApproval()]) {
      expect(codesOf(await org.as('agent').send(DECIDE, { id }))).toEqual(['FORBIDDEN'])
      expect(await statusOf(id)).toBe('PENDING')
    }
  })

  test('does not approve its own escalation either when somebody gave it every scope', async () => {
    const { createApiKey } = await org
      .as('admin')
      .query<{ createApiKey: { secret: string } }>(
        'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
        { input: { principalName: 'too able', kind: 'agent', roles: ['admin'] } },
      )
    const able = openCaller(world.url, createApiKey.secret)
    const asked = await able.query<{ requestApproval: { approval: { id: string } } }>(REQUEST, {
      key: mark('key'),
    })
    // Its own, and what another agent asked of a person.
    for (const id of [asked.requestApproval.approval.id, await escalate()]) {
      expect(codesOf(await able.send(DECIDE, { id }))).toEqual(['SEPARATION_OF_DUTIES'])
      expect(await statusOf(id)).toBe('PENDING')
    }
  })

  test('a person approves its escalation', async () => {
    const id = await escalate()
    await org.as('approver').query(DECIDE, { id })
    expect(await statusOf(id)).toBe('APPROVED')
  })
})

test('nobody decides what they asked for themselves, whatever their role', async () => {
  const asked = await org
    .as('admin')
    .query<{ requestApproval: { approval: { id: string } } }>(
      'mutation { requestApproval(input: { title: "t", action: "a", arguments: {}, reason: "r", idempotencyKey: "own" }) { approval { id } } }',
    )
  const { id } = asked.requestApproval.approval
  expect(codesOf(await org.as('admin').send(DECIDE, { id }))).toEqual(['SEPARATION_OF_DUTIES'])
  expect(await statusOf(id)).toBe('PENDING')
})

test('a revoked key opens nothing after a second, and an expired one nothing at all', async () => {
  const create = async (expiresAt: string | null) => {
    const input = { principalName: mark('principal'), roles: ['viewer'], expiresAt }
    const { createApiKey } = await org.as('admin').query<{
      createApiKey: { secret: string; apiKey: { id: string } }
    }>('mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }', { input })
    return { ...createApiKey, caller: openCaller(world.url, createApiKey.secret) }
  }
  const [kept, revoked, expired] = [
    await create(null),
    await create(null),
    await create(new Date(Date.now() + 60_000).toISOString()),
  ]
  for (const { caller } of [kept, revoked, expired])
    expect(await caller.query('{ viewer { roles } }')).toEqual({ viewer: { roles: ['viewer'] } })
  await org
    .as('admin')
    .query('mutation($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { revokedAt } } }', {
      id: revoked.apiKey.id,
    })
  await world.asOwner(`update api_key set expires_at = now() where id = $1`, [expired.apiKey.id])
  // The door believes an answer for a second: that is the promise, so here time is what is tested.
  await wait(1_000)
  for (const { caller } of [revoked, expired]) {
    for (const query of ['{ viewer { roles } }', '{ __schema { queryType { name } } }', '{ __typename }']) {
      const answer = await caller.send(query)
      expect([answer.status, codesOf(answer), dataOf(answer)]).toEqual([401, ['UNAUTHENTICATED'], null])
    }
    await expect(caller.subscribe('subscription { runEvents { type } }').next()).rejects.toMatchObject({
      code: 4403,
    })
    await caller.close()
  }
  await kept.caller.query('{ viewer { roles } }')
})

const dataOf = ({ body }: Answer): unknown => body.data ?? null

/** Of a subscription that is refused before anything is delivered: thrown, or said as its only delivery. */
async function codesOfRefusal(first: Promise<IteratorResult<unknown>>): Promise<unknown[]> {
  const said: unknown = await first.then(
    ({ value }) => value,
    (error: unknown) => error,
  )
  const errors = Array.isArray(said) ? said : Object(said)['errors']
  return Array.isArray(errors) ? errors.map((error) => Object(error)['extensions']?.code) : [said]
}
