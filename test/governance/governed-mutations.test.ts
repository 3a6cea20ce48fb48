import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { authorizeMutationsOverHttp, boundSubgraph, createGateway } from '@tutti/gateway'
import { internalCalls } from '@tutti/governance'
import { identify } from '@tutti/governance/domain'
import { createKms, createLifecycle, createLog, serveSubgraph } from '@tutti/runtime'
import type { Role } from '@tutti/schema'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { applyWorkflow } from '../flows/operations.ts'
import type { Answer } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'

const SET_BUDGET = 'mutation($input: SetBudgetInput!) { setBudget(input: $input) { budget { id } } }'
const SET_CREDENTIAL =
  'mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** An organization with a matrix of its own: up to 100 dollars an administrator decides alone, above somebody is asked. */
async function governed(...entries: object[]): Promise<Organization> {
  const org = await world.organization()
  await org
    .as('admin')
    .query('mutation($input: SetAuthorityInput!) { setAuthority(input: $input) { matrix { version } } }', {
      input: {
        reason: 'who spends what',
        entries: [
          { level: 'ENTERPRISE', action: '*', ruling: 'ALONE' },
          { level: 'ENTERPRISE', action: 'budget.allocate', maxAmount: 100, ruling: 'ALONE' },
          {
            level: 'ENTERPRISE',
            action: 'budget.allocate',
            ruling: 'ASK',
            to: 'enterprise',
            askRoles: ['admin', 'approver'],
          },
          { level: 'DOMAIN', action: 'policy.*', ruling: 'ALONE' },
          ...entries,
        ],
      },
    })
  return org
}

/** A call at the door; `approval`: the header. */
async function call(
  org: Pick<Organization, 'as'>,
  role: Role,
  query: string,
  variables: object,
  approval?: string,
  url = world.url,
): Promise<Answer['body']> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${org.as(role).key}`,
      ...(approval === undefined ? {} : { 'tutti-approval': approval }),
    },
    body: JSON.stringify({ query, variables }),
  })
  return JSON.parse(await response.text())
}

const budget = (maxUsd: number, name = 'tools') => ({ input: { name, window: 'DAY', maxUsd } })
const setBudget = (org: Pick<Organization, 'as'>, maxUsd: number, approval?: string) =>
  call(org, 'admin', SET_BUDGET, budget(maxUsd), approval)

const refused = (code: string, extensions: object = {}) => ({
  errors: [{ extensions: { code, ...extensions } }],
})
const done = { data: { setBudget: { budget: { id: expect.any(String) } } } }

/** The approval that an answer says is required. */
function approvalOf({ errors }: Answer['body']): string {
  expect(errors).toMatchObject([{ extensions: { code: 'APPROVAL_REQUIRED', retryable: false } }])
  return String(errors?.[0]?.extensions?.['approvalId'])
}

const decide = (org: Organization, role: Role, id: string, decision = 'APPROVE') =>
  call(
    org,
    role,
    'mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { status } } }',
    { input: { id, decision } },
  )

async function budgetsOf(org: Organization): Promise<(number | null)[]> {
  const { budgets } = await org
    .as('admin')
    .query<{ budgets: { nodes: { maxUsd: number | null }[] } }>('{ budgets { nodes { maxUsd } } }')
  return budgets.nodes.map(({ maxUsd }) => maxUsd).sort((a, b) => (a ?? 0) - (b ?? 0))
}

async function denials(org: Organization): Promise<unknown[]> {
  const { auditEntries } = await org.as('admin').query<{
    auditEntries: { nodes: { subject: string; details: { reasoning: string } }[] }
  }>('{ auditEntries(first: 100, actionType: "denial") { nodes { subject details } } }')
  return auditEntries.nodes
    .toReversed()
    .map(({ subject, details: { reasoning } }) => ({ subject, reasoning }))
}

/** A policy that somebody wrote and somebody else put into force. */
async function enforce(org: Organization, policy: object): Promise<string> {
  const { createPolicy } = await org
    .as('admin')
    .query<{ createPolicy: { policy: { id: string } } }>(
      'mutation($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { id } } }',
      { input: { kind: 'RESOURCES', ...policy } },
    )
  const { id } = createPolicy.policy
  await org
    .as('admin')
    .query('mutation($id: ID!) { submitPolicy(input: { id: $id }) { policy { id } } }', { id })
  await org
    .as('approver')
    .query(
      'mutation($id: ID!) { reviewPolicy(input: { id: $id, version: 1, decision: APPROVE }) { policy { id } } }',
      { id },
    )
  return id
}

test('without a matrix of its own, and without a policy, an organization’s roles decide alone', async () => {
  const org = await world.organization()
  expect(await setBudget(org, 500)).toEqual(done)
  expect(await denials(org)).toEqual([])
})

test('within the bounds of the matrix it is done; above, somebody is asked, once', async () => {
  const org = await governed()
  expect(await setBudget(org, 100)).toEqual(done)
  const answers = await Promise.all([1, 2, 3].map(() => setBudget(org, 500)))
  const [id = '', ...others] = answers.map(approvalOf)
  expect(others).toEqual([id, id])
  expect(approvalOf(await setBudget(org, 500, id))).toBe(id)
  expect(await budgetsOf(org)).toEqual([100])
  const { approval } = await org
    .as('approver')
    .query<{ approval: object }>(
      'query($id: ID!) { approval(id: $id) { action arguments costUsd allowsChanges } }',
      { id },
    )
  expect(approval).toEqual({
    action: 'budget.allocate',
    arguments: { mutation: 'setBudget', arguments: budget(500) },
    costUsd: 500,
    allowsChanges: false,
  })
})

test('what is approved is done once, with exactly these arguments', async () => {
  const org = await governed()
  const id = approvalOf(await setBudget(org, 500))
  await decide(org, 'approver', id)
  expect(await setBudget(org, 501, id)).toMatchObject(refused('FORBIDDEN'))
  expect(await denials(org)).toEqual([
    {
      subject: 'operation/Mutation.setBudget',
      reasoning: expect.stringContaining('something else than this mutation with these arguments'),
    },
  ])
  expect(approvalOf(await setBudget(org, 500))).toBe(id)
  expect(await budgetsOf(org)).toEqual([])
  expect(await setBudget(org, 500, id)).toEqual(done)
  expect(await setBudget(org, 500, id)).toMatchObject(
    refused('FORBIDDEN', { hint: expect.stringContaining('used up') }),
  )
  expect(approvalOf(await setBudget(org, 500))).not.toBe(id)
})

test('a yes to start something is for what that was when it was asked', async () => {
  const to = { level: 'ENTERPRISE', ruling: 'ASK', to: 'enterprise', askRoles: ['approver'] }
  const org = await governed({ ...to, action: 'run.start' })
  const apply = (message: string) =>
    applyWorkflow(org.as('admin'), {
      format: 'tutti/1',
      name: 'w',
      steps: [{ name: 'say', set: { said: `'${message}'` } }],
    })
  const workflowId = await apply('hello')
  const input = { workflowId, name: 'hook', kind: 'WEBHOOK', input: { sum: 1 } }
  const made = await org
    .as('admin')
    .query<{ createTrigger: { trigger: { id: string } } }>(
      'mutation($input: CreateTriggerInput!) { createTrigger(input: $input) { trigger { id } } }',
      { input },
    )
  const { id: triggerId } = made.createTrigger.trigger
  const START = 'mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }'
  const FIRE = 'mutation($input: FireTriggerInput!) { fireTrigger(input: $input) { firing { id } } }'
  const UPDATE = 'mutation($input: UpdateTriggerInput!) { updateTrigger(input: $input) { trigger { id } } }'
  const attempts: { mutation: string; given: object; change: () => Promise<unknown>; named: object[] }[] = [
    {
      mutation: START,
      given: { workflowId, input: {} },
      change: () => apply('goodbye'),
      named: [{ workflow: 'w', version: 1 }],
    },
    {
      mutation: FIRE,
      given: { id: triggerId, idempotencyKey: 'k' },
      change: () => org.as('admin').query(UPDATE, { input: { id: triggerId, input: { sum: 1_000 } } }),
      named: [
        { workflow: 'w', version: 2 },
        { trigger: 'hook', settings: expect.any(String) },
      ],
    },
  ]
  for (const { mutation, given, change, named } of attempts) {
    const ask = (approval?: string) => call(org, 'admin', mutation, { input: given }, approval)
    const id = approvalOf(await ask())
    const { approval } = await org
      .as('approver')
      .query<{ approval: { arguments: { versions: unknown[] } } }>(
        'query($id: ID!) { approval(id: $id) { arguments } }',
        { id },
      )
    expect(approval.arguments.versions).toHaveLength(named.length)
    expect(approval.arguments.versions).toEqual(expect.arrayContaining(named))
    await decide(org, 'approver', id)
    await change()
    expect(await ask(id)).toMatchObject(
      refused('FORBIDDEN', { hint: expect.stringContaining('another version') }),
    )
    const next = approvalOf(await ask())
    expect(next).not.toBe(id)
    await decide(org, 'approver', next)
    expect((await ask(next)).errors).toBeUndefined()
  }
})

test('a yes of those whom the rules asked for is none when they ask for others since', async () => {
  const org = await governed()
  const id = approvalOf(await setBudget(org, 500))
  await decide(org, 'approver', id)
  await enforce(org, {
    name: 'Operators look at it',
    actions: ['budget.allocate'],
    effect: 'REQUIRE_APPROVAL',
    stages: [{ roles: ['operator'] }],
  })
  expect(await setBudget(org, 500, id)).toMatchObject(refused('FORBIDDEN'))
  expect(await denials(org)).toMatchObject([{ reasoning: expect.stringContaining('ask others by now') }])
  expect(approvalOf(await setBudget(org, 500))).not.toBe(id)
  expect(await budgetsOf(org)).toEqual([])
})

test('of many who repeat it at once, one is let through', async () => {
  const org = await governed()
  const id = approvalOf(await setBudget(org, 500))
  await decide(org, 'approver', id)
  const answers = await Promise.all(Array.from({ length: 10 }, () => setBudget(org, 500, id)))
  expect(answers.filter(({ data }) => data)).toHaveLength(1)
  expect(answers.filter(({ errors }) => errors?.[0]?.extensions?.['code'] === 'FORBIDDEN')).toHaveLength(9)
})

test('whoever asked does not decide, and a no is a no', async () => {
  const org = await governed()
  const id = approvalOf(await setBudget(org, 700))
  expect(await decide(org, 'admin', id)).toMatchObject(refused('SEPARATION_OF_DUTIES'))
  await decide(org, 'approver', id, 'REJECT')
  expect(await setBudget(org, 700, id)).toMatchObject(
    refused('FORBIDDEN', { hint: expect.stringContaining('rejected') }),
  )
  expect(approvalOf(await setBudget(org, 700))).not.toBe(id)
  expect(await budgetsOf(org)).toEqual([])
})

test('a yes is for who asked', async () => {
  const org = await governed()
  const id = approvalOf(await setBudget(org, 700))
  await decide(org, 'approver', id)
  const { createApiKey } = await org
    .as('admin')
    .query<{ createApiKey: { secret: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { principalName: 'another', roles: ['admin'] } },
    )
  const another: Pick<Organization, 'as'> = { as: () => ({ ...org.as('admin'), key: createApiKey.secret }) }
  expect(await setBudget(another, 700, id)).toMatchObject(
    refused('FORBIDDEN', { hint: expect.stringContaining('somebody else asked for it') }),
  )
  expect(await setBudget(org, 700, id)).toEqual(done)
})

test('an approval that somebody asks for by themselves, with deciders of their choice, opens nothing', async () => {
  const org = await governed()
  const { requestApproval } = await org
    .as('admin')
    .query<{ requestApproval: { approval: { id: string } } }>(
      `mutation($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id } } }`,
      {
        input: {
          idempotencyKey: 'mine',
          title: 'Budget',
          action: 'budget.allocate',
          arguments: { mutation: 'setBudget', arguments: budget(500) },
          reason: 'I like it',
        },
      },
    )
  const { id } = requestApproval.approval
  await decide(org, 'approver', id)
  expect(await setBudget(org, 500, id)).toMatchObject(refused('FORBIDDEN'))
})

test('who loses the right to say yes, or to have it done, has lost it for what was not done yet', async () => {
  const org = await governed()
  const assign = async (principalId: string, role: string) => {
    const { assignRole } = await org
      .as('admin')
      .query<{ assignRole: { assignment: { id: string } } }>(
        'mutation($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }',
        { input: { principalId, role } },
      )
    return assignRole.assignment.id
  }
  const revoke = (id: string) =>
    org
      .as('admin')
      .query('mutation($id: ID!) { revokeAssignment(input: { id: $id }) { assignment { id } } }', { id })
  /** Waits until the door knows what the viewer may do by now. */
  const viewerHas = (scope: string, has: boolean) =>
    expect
      .poll(
        async () => {
          const { viewer } = await org
            .as('viewer')
            .query<{ viewer: { scopes: string[] } }>('{ viewer { scopes } }')
          return viewer.scopes.includes(scope)
        },
        { timeout: 10_000 },
      )
      .toBe(has)
  const viewer = org.actor('viewer').id
  const approver = await assign(viewer, 'approver')
  await viewerHas('approvals:decide', true)
  const id = approvalOf(await setBudget(org, 500))
  await decide(org, 'viewer', id)
  await revoke(approver)
  expect(await setBudget(org, 500, id)).toMatchObject(
    refused('FORBIDDEN', { hint: expect.stringContaining('decider_lost') }),
  )
  const anew = approvalOf(await setBudget(org, 500))
  expect(anew).not.toBe(id)
  await decide(org, 'approver', anew)
  expect(await setBudget(org, 500, anew)).toEqual(done)
  // Now the one who asks.
  const admin = await assign(viewer, 'admin')
  await viewerHas('limits:write', true)
  const theirs = (approval?: string) => call(org, 'viewer', SET_BUDGET, budget(600), approval)
  const asked = approvalOf(await theirs())
  await decide(org, 'approver', asked)
  await revoke(admin)
  await viewerHas('limits:write', false)
  expect(await theirs(asked)).toMatchObject(refused('FORBIDDEN'))
  expect(await budgetsOf(org)).toEqual([500])
})

test('what a policy forbids is not done, whoever said yes before, and the record has it', async () => {
  const org = await governed()
  const id = approvalOf(await setBudget(org, 500))
  await decide(org, 'approver', id)
  await enforce(org, {
    name: 'Nothing above 400',
    effect: 'DENY',
    actions: ['budget.*'],
    condition: "resource.name == 'setBudget' && context.arguments.input.maxUsd > 400.0",
  })
  expect(await setBudget(org, 500, id)).toMatchObject(
    refused('FORBIDDEN', { hint: expect.stringContaining('Nothing above 400') }),
  )
  expect(await denials(org)).toEqual([
    {
      subject: 'operation/Mutation.setBudget',
      reasoning: expect.stringContaining('Nothing above 400'),
    },
  ])
  expect(await setBudget(org, 50)).toEqual(done)
})

test('policies govern also where the built-in matrix is in force', async () => {
  const org = await world.organization()
  await enforce(org, { name: 'Frozen', effect: 'DENY', actions: ['budget.allocate'] })
  expect(await setBudget(org, 1)).toMatchObject(refused('FORBIDDEN'))
})

test('what a policy escalates is a question within an escalation', async () => {
  const org = await world.organization()
  await enforce(org, {
    name: 'Larger than life',
    effect: 'ESCALATE',
    escalateTo: 'enterprise',
    actions: ['budget.allocate'],
    condition: 'context.amount > 1000.0',
    stages: [{ roles: ['approver'] }],
  })
  const id = approvalOf(await setBudget(org, 5_000))
  expect(approvalOf(await setBudget(org, 5_000))).toBe(id)
  const { escalations } = await org
    .as('admin')
    .query<{ escalations: object }>('{ escalations { nodes { level title } } }')
  expect(escalations).toEqual({
    nodes: [{ level: 'enterprise', title: 'setBudget' }],
  })
  await decide(org, 'approver', id)
  expect(await setBudget(org, 5_000, id)).toEqual(done)
})

test('of two mutations in one operation none is done before both may be', async () => {
  const org = await governed()
  const both = `mutation($a: SetBudgetInput!, $b: SetBudgetInput!, $no: Boolean = false) {
    first: setBudget(input: $a) { budget { id } }
    ...Second @skip(if: $no)
  }
  fragment Second on Mutation { second: setBudget(input: $b) { budget { id } } }`
  const variables = { a: budget(50, 'a').input, b: budget(500, 'b').input }
  const answer = await call(org, 'admin', both, variables)
  expect(answer.errors).toMatchObject([{ path: ['second'] }])
  const second = approvalOf(answer)
  expect(await budgetsOf(org)).toEqual([])
  await decide(org, 'approver', second)
  const large = { ...variables, a: budget(600, 'a').input }
  expect(await call(org, 'admin', both, large, second)).toMatchObject({
    errors: [{ path: ['first'], extensions: { code: 'APPROVAL_REQUIRED' } }],
  })
  const first = approvalOf(await call(org, 'admin', both, large, second))
  await decide(org, 'approver', first)
  expect(await call(org, 'admin', both, large, `${first}, ${second}`)).toEqual({
    data: { first: done.data.setBudget, second: done.data.setBudget },
  })
  expect(await budgetsOf(org)).toEqual([500, 600])
  expect(await call(org, 'admin', both, { ...variables, no: true })).toMatchObject({
    data: { first: done.data.setBudget },
  })
})

test('the same twice in one operation is not done by one yes', async () => {
  const org = await governed()
  const twice = `mutation($input: SetBudgetInput!) {
    a: setBudget(input: $input) { budget { id } } b: setBudget(input: $input) { budget { id } }
  }`
  expect(await call(org, 'admin', twice, budget(500))).toMatchObject({
    errors: [{ path: ['b'], extensions: { code: 'BAD_INPUT' } }],
  })
})

test('who is to be informed is told by an event', async () => {
  const org = await governed({ level: 'DOMAIN', action: 'run.start', ruling: 'INFORM', to: 'enterprise' })
  const start = 'mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }'
  const answer = await call(org, 'operator', start, { input: { workflowId: org.id, input: {} } })
  expect(answer).toMatchObject(refused('NOT_FOUND'))
  const events = await world.asOwner(
    `select subject, data from log.event where organization_id = $1::uuid and type = 'authority.informed'`,
    [org.id],
  )
  expect(events).toMatchObject([
    { subject: 'mutation/startRun', data: { action: 'run.start', level: 'enterprise', runId: null } },
  ])
})

test('secrets stay at the door, and a yes is for the one that was asked about', async () => {
  const org = await governed()
  await enforce(org, {
    name: 'Four eyes',
    effect: 'REQUIRE_APPROVAL',
    actions: ['credential.manage'],
    stages: [{ roles: ['approver'] }],
  })
  const credential = (value: string) => ({ input: { name: 'provider/x', value } })
  const store = (value: string, approval?: string) =>
    call(org, 'admin', SET_CREDENTIAL, credential(value), approval)
  const id = approvalOf(await store('sk-very-secret-1'))
  await decide(org, 'approver', id)
  expect(await store('sk-very-secret-2', id)).toMatchObject(refused('FORBIDDEN'))
  const { data } = await store('sk-very-secret-1', id)
  expect(data).toMatchObject({ setCredential: {} })
  const kept = await world.asOwner<{ text: string }>(
    `select request::text as text from policy_decision where organization_id = $1::uuid
     union all select to_jsonb(a)::text from approval a where organization_id = $1::uuid
     union all select to_jsonb(a)::text from audit_entry a where organization_id = $1::uuid
     union all select data::text from log.event where organization_id = $1::uuid`,
    [org.id],
  )
  expect(kept.filter(({ text }) => text.includes('setCredential')).length).toBeGreaterThan(1)
  expect(kept.filter(({ text }) => text.includes('very-secret'))).toEqual([])
})

/** The code that a mutation of an administrator is answered with; null: it was done. */
async function codeOf(
  org: Organization,
  role: Role,
  query: string,
  variables: object,
  approval?: string,
): Promise<unknown> {
  const { errors } = await call(org, role, query, variables, approval)
  return errors?.[0]?.extensions?.['code'] ?? null
}

test('whoever lets somebody in, or gives rights, asks where the matrix says so, and does it with the yes', async () => {
  const grant = { action: 'access.grant', ruling: 'ASK', to: 'enterprise', askRoles: ['approver'] }
  const org = await governed({ level: 'ENTERPRISE', ...grant })
  const principalId = org.actor('viewer').id
  const secret = 'very-secret-of-the-client'
  const granting: Record<string, [query: string, input: object]> = {
    createApiKey: ['apiKey { id }', { principalName: 'Eve', roles: ['viewer'] }],
    setRole: ['role { name }', { name: 'reader', description: 'Reads.', scopes: ['runs:read'] }],
    setGroup: ['group { id }', { name: 'readers', memberIds: [principalId] }],
    assignRole: ['assignment { id }', { role: 'operator', principalId }],
    rotateApiKey: ['apiKey { id }', { id: org.actor('viewer').credentialId }],
    setIdentityProvider: [
      'identityProvider { id }',
      { issuer: 'https://login.example.com', clientId: 'tutti', clientSecret: secret },
    ],
  }
  for (const [field, [fields, input]] of Object.entries(granting)) {
    const capital = `${field.charAt(0).toUpperCase()}${field.slice(1)}`
    const query = `mutation($input: ${capital}Input!) { ${field}(input: $input) { ${fields} } }`
    const id = approvalOf(await call(org, 'admin', query, { input }))
    expect([field, await codeOf(org, 'admin', query, { input })]).toEqual([field, 'APPROVAL_REQUIRED'])
    await decide(org, 'approver', id)
    expect([field, await codeOf(org, 'admin', query, { input }, id)]).toEqual([field, null])
  }
  const kept = await world.asOwner<{ text: string }>(
    `select to_jsonb(a)::text as text from approval a where organization_id = $1::uuid
     union all select request::text from policy_decision where organization_id = $1::uuid
     union all select data::text from log.event where organization_id = $1::uuid`,
    [org.id],
  )
  expect(kept.filter(({ text }) => text.includes('setIdentityProvider')).length).toBeGreaterThan(1)
  expect(kept.filter(({ text }) => text.includes(secret))).toEqual([])
})

test('about what changes the rules the built-in matrix is asked too', async () => {
  const org = await world.organization()
  const policyId = await enforce(org, { name: 'Frozen', effect: 'DENY', actions: ['money.spend'] })
  const { requestPolicyException } = await org
    .as('operator')
    .query<{ requestPolicyException: { exception: { id: string } } }>(
      `mutation($input: RequestPolicyExceptionInput!) {
         requestPolicyException(input: $input) { exception { id } } }`,
      {
        input: {
          policyId,
          reason: 'an old order',
          resources: ['tool/old'],
          expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
        },
      },
    )
  const query = `mutation($id: ID!) {
    decidePolicyException(input: { id: $id, decision: APPROVE }) { exception { status } } }`
  const variables = { id: requestPolicyException.exception.id }
  // The seed: a domain must ask the enterprise about exceptions.
  const id = approvalOf(await call(org, 'approver', query, variables))
  await decide(org, 'admin', id)
  expect(await call(org, 'approver', query, variables, id)).toEqual({
    data: { decidePolicyException: { exception: { status: 'approved' } } },
  })
  expect(await denials(org)).toEqual([])
})

test('arguments that are too large to be asked about are no hindrance where nobody is asked', async () => {
  const query = 'mutation($input: SetAuthorityInput!) { setAuthority(input: $input) { matrix { version } } }'
  const line = { level: 'DOMAIN', action: 'run.start', ruling: 'NEVER' }
  const lines = Array.from({ length: 1_999 }, (_, number) => ({
    ...line,
    team: `${number}`.padEnd(150, '-'),
  }))
  const entries = [{ level: 'ENTERPRISE', action: '*', ruling: 'ALONE' }, ...lines]
  const variables = { input: { reason: 'large', entries } }
  const org = await world.organization()
  expect(await codeOf(org, 'admin', query, variables)).toBeNull()
  const asking = await governed({
    level: 'ENTERPRISE',
    action: 'authority.change',
    ruling: 'ASK',
    to: 'enterprise',
  })
  expect(await call(asking, 'admin', query, variables)).toMatchObject(
    refused('BAD_INPUT', { hint: expect.stringContaining('256 KiB') }),
  )
})

describe('in domains and teams', () => {
  /** Two domains with a team and an agent each; operators decide in sales alone, and on budgets nowhere. */
  async function places() {
    const org = await world.organization()
    const admin = org.as('admin')
    const made: Record<string, { domainId: string; teamId: string; agentId: string }> = {}
    for (const name of ['sales', 'support']) {
      const { createDomain } = await admin.query<{ createDomain: { domain: { id: string } } }>(
        'mutation($name: String!) { createDomain(input: { name: $name }) { domain { id } } }',
        { name },
      )
      const domainId = createDomain.domain.id
      const { createTeam } = await admin.query<{ createTeam: { team: { id: string } } }>(
        'mutation($name: String!, $id: ID!) { createTeam(input: { name: $name, domainId: $id }) { team { id } } }',
        { name, id: domainId },
      )
      const teamId = createTeam.team.id
      const { registerAgent } = await admin.query<{ registerAgent: { agent: { id: string } } }>(
        `mutation($document: String!, $teamId: ID) {
           registerAgent(input: { document: $document, teamId: $teamId }) { agent { id } } }`,
        { teamId, document: `metadata: { name: ${name}, type: service.test, version: 1.0.0 }` },
      )
      made[name] = { domainId, teamId, agentId: registerAgent.agent.id }
    }
    const { sales = expect.unreachable(), support = expect.unreachable() } = made
    return { org, sales, support }
  }
  const workflow = (...agents: string[]) =>
    `name: of-${agents.join('-')}\nsteps:\n${agents.map((name) => `  - { name: ${name}, agent: ${name} }\n`).join('')}`
  const SET_LIMIT = 'mutation($input: SetLimitInput!) { setLimit(input: $input) { limit { id } } }'
  const START = 'mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }'
  const PAUSE = 'mutation($id: ID!) { pauseRun(input: { id: $id }) { run { id } } }'
  const RETIRE = 'mutation($id: ID!) { retireAgent(input: { id: $id }) { agent { id } } }'

  test('a line for a place is about what is there: agents, teams, workflows, runs and what is set for them', async () => {
    const { org, sales, support } = await places()
    const apply = async (document: string) =>
      (
        await org
          .as('admin')
          .query<{ applyWorkflow: { workflow: { id: string } } }>(
            'mutation($document: String!) { applyWorkflow(input: { document: $document }) { workflow { id } } }',
            { document },
          )
      ).applyWorkflow.workflow.id
    const own = await apply(workflow('sales'))
    const shared = await apply(workflow('sales', 'support'))
    const start = async (workflowId: string) =>
      (
        await org
          .as('admin')
          .query<{ startRun: { run: { id: string } } }>(START, { input: { workflowId, input: {} } })
      ).startRun.run.id
    const [ofSales, ofBoth] = [await start(own), await start(shared)]
    await org
      .as('admin')
      .query('mutation($input: SetAuthorityInput!) { setAuthority(input: $input) { matrix { version } } }', {
        input: {
          reason: 'sales decides for itself',
          entries: [
            { level: 'ENTERPRISE', action: '*', ruling: 'ALONE' },
            { level: 'DOMAIN', action: '*', domain: sales.domainId, ruling: 'ALONE' },
            { level: 'DOMAIN', action: 'agent.retire', team: sales.teamId, ruling: 'NEVER' },
          ],
        },
      })
    const asked = async (query: string, variables: object) => codeOf(org, 'operator', query, variables)
    const starts = (workflowId: string) => asked(START, { input: { workflowId, input: {} } })
    expect([await starts(own), await starts(shared)]).toEqual([null, 'FORBIDDEN'])
    expect(await asked(START, { input: { workflowName: 'of-sales', input: {} } })).toBeNull()
    // What the caller makes up, as a run's input, chooses no place.
    const claim = { teamId: sales.teamId, agentId: sales.agentId }
    expect(await asked(START, { input: { workflowId: shared, input: claim } })).toBe('FORBIDDEN')
    expect([await asked(PAUSE, { id: ofSales }), await asked(PAUSE, { id: ofBoth })]).toEqual([
      null,
      'FORBIDDEN',
    ])
    expect(await asked(RETIRE, { id: sales.agentId })).toBe('FORBIDDEN')
    const scale = 'mutation($id: ID!) { scaleAgent(input: { agentId: $id, instances: 1 }) { agent { id } } }'
    expect([await asked(scale, { id: sales.agentId }), await asked(scale, { id: support.agentId })]).toEqual([
      null,
      'FORBIDDEN',
    ])
    // Neither another tenant's nor one that there is not is anywhere.
    const { sales: foreign } = await places()
    const nowhere = [foreign.agentId, org.id].map((id) => call(org, 'operator', scale, { id }))
    const [other, none] = await Promise.all(nowhere)
    expect(other).toEqual(none)
    expect(none).toMatchObject(refused('FORBIDDEN'))
  })

  test('a policy speaks of the domain and the team, and of what is in several it is asked for each', async () => {
    const { org, sales, support } = await places()
    await enforce(org, {
      name: 'Sales is frozen',
      effect: 'DENY',
      actions: ['settings.change'],
      condition: `resource.domain == '${sales.domainId}'`,
    })
    await enforce(org, {
      name: 'Support asks',
      effect: 'REQUIRE_APPROVAL',
      actions: ['budget.allocate'],
      condition: `resource.team == '${support.teamId}'`,
      stages: [{ roles: ['approver'] }],
    })
    const limit = (agentId?: string) => ({ input: { name: `limit of ${agentId}`, agentId, maxRunning: 1 } })
    const limits = async (agentId?: string) => codeOf(org, 'admin', SET_LIMIT, limit(agentId))
    expect([await limits(sales.agentId), await limits(support.agentId), await limits()]).toEqual([
      'FORBIDDEN',
      null,
      null,
    ])
    const budgets = async (more: object) =>
      codeOf(org, 'admin', SET_BUDGET, {
        input: { name: JSON.stringify(more), window: 'DAY', maxUsd: 5, ...more },
      })
    expect([
      await budgets({ scope: 'AGENT', agentId: support.agentId }),
      await budgets({ scope: 'AGENT', agentId: sales.agentId }),
      await budgets({ scope: 'DOMAIN', domainId: support.domainId }),
    ]).toEqual(['APPROVAL_REQUIRED', null, null])
  })
})

test('over a WebSocket the operation’s extensions name the approval', async () => {
  const org = await governed()
  const client = createClient({
    url: `${world.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${org.as('admin').key}` },
    retryAttempts: 0,
  })
  const over = async (extensions: Record<string, unknown>): Promise<unknown> => {
    const results = client.iterate({ query: SET_BUDGET, variables: budget(500), extensions })
    return results.next().then(
      ({ value }) => value,
      (errors: unknown) => ({ errors }),
    )
  }
  try {
    expect(await over({})).toMatchObject(refused('APPROVAL_REQUIRED'))
    const id = approvalOf(await setBudget(org, 500))
    await decide(org, 'approver', id)
    expect(await over({ approvalId: id })).toMatchObject(done)
  } finally {
    await client.dispose()
  }
})

test('a gateway in another process asks by a signed call, and lets nothing through when nobody answers', async () => {
  const org = await governed()
  const log = createLog('test', 'silent')
  const subgraph = world.subgraphs.find(({ name }) => name === 'governance') ?? expect.unreachable()
  const services = { ...world.data, kms: createKms(world) }
  const app = serveSubgraph({
    subgraph,
    secret: world.secret,
    lifecycle: createLifecycle(log),
    internal: internalCalls(services),
  })
  const governance = await app.listen({ host: '127.0.0.1', port: 0 })
  await using gateway = await createGateway({
    supergraphSdl: readFileSync(
      fileURLToPath(import.meta.resolve('@tutti/schema/supergraph.graphql')),
      'utf8',
    ),
    subgraphs: world.subgraphs.map(boundSubgraph),
    identify: (question) => identify(world.data, question),
    authority: {
      secret: world.secret,
      authorize: authorizeMutationsOverHttp(governance, world.secret),
    },
    log,
  })
  await gateway.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = gateway.app.server.address() as AddressInfo
  const send = (maxUsd: number, approval?: string) =>
    call(org, 'admin', SET_BUDGET, budget(maxUsd), approval, `http://127.0.0.1:${port}`)
  try {
    expect(await send(50)).toEqual(done)
    const id = approvalOf(await send(500))
    await decide(org, 'approver', id)
    expect(await send(500, id)).toEqual(done)
  } finally {
    await app.close()
  }
  expect(await send(50)).toMatchObject(refused('UNAVAILABLE'))
  expect(await budgetsOf(org)).toEqual([500])
})
