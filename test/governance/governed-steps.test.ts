import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpAgent, httpAgentDocument, startHttpAgent } from '../flows/http-agent.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from '../flows/operations.ts'
import type { Caller } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { enforce } from './enforce.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }
const REFUNDS = {
  format: 'tutti/1',
  name: 'refunds',
  inputs: ['customer', 'sum', 'card'],
  steps: [
    {
      name: 'refund',
      agent: 'refunder',
      input: { customer: 'customer', sum: 'sum', card: 'card' },
      output: 'refunded',
      governs: { action: 'money.spend', amount: 'sum', risk: 'medium' },
    },
  ],
}

const cleanup = new AsyncDisposableStack()
let world: World
let agent: HttpAgent
beforeAll(async () => {
  agent = cleanup.use(await startHttpAgent(({ json }) => ({ output: { paid: json.input['sum'] } })))
  world = cleanup.use(await startWorld({ workers: true }))
})
afterAll(() => cleanup.disposeAsync())

/** An organization whose agent pays, and the workflow that lets it. */
async function open(): Promise<{ org: Organization; refund: (input: object) => Promise<string> }> {
  const org = await world.organization()
  const operator = org.as('operator')
  await registerAgent(operator, httpAgentDocument('refunder', agent.url))
  const workflowId = await applyWorkflow(operator, REFUNDS)
  return {
    org,
    refund: async (input) =>
      (await startRuns(operator, workflowId, [{ customer: 'ann', card: '4711', ...input }]))[0] ?? '',
  }
}

const paid = (id: string) => agent.calls.filter(({ json }) => json.runId === id).map(({ json }) => json.input)

async function seen(org: Organization, id: string, status: string) {
  await expect.poll(async () => (await readRun(org.as('viewer'), id)).status, PATIENCE).toBe(status)
  return readRun(org.as('viewer'), id)
}

/** The question of a run, once it is asked. */
async function question(org: Organization, id: string) {
  const ask = async () => (await readRun(org.as('viewer'), id)).tasks[0]?.approval ?? undefined
  await expect.poll(ask, PATIENCE).toBeDefined()
  return (await ask()) ?? expect.unreachable()
}

const decide = (caller: Caller, input: object) =>
  caller.query<{ decideApproval: { approval: { status: string } } }>(
    'mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { status } } }',
    { input },
  )

interface Entry {
  actionType: string
  summary: string
  outcome: string | null
  authorityVersion: string | null
  policyVersion: string | null
  onBehalfOf: { kind: string } | null
}

async function entries(org: Organization, taskId: string): Promise<Entry[]> {
  const { auditEntries } = await org.as('admin').query<{ auditEntries: { nodes: Entry[] } }>(
    `query($s: String!) { auditEntries(subject: $s) { nodes {
       actionType summary outcome authorityVersion policyVersion onBehalfOf { kind } } } }`,
    { s: `task/${taskId}` },
  )
  return auditEntries.nodes
}

async function taskOf(org: Organization, id: string): Promise<string> {
  const { run } = await org
    .as('viewer')
    .query<{ run: { tasks: { id: string }[] } }>('query($id: ID!) { run(id: $id) { tasks { id } } }', { id })
  return run.tasks[0]?.id ?? expect.unreachable()
}

async function stagesOf(org: Organization, id: string): Promise<unknown> {
  const { approval } = await org
    .as('viewer')
    .query<{ approval: { stages: unknown } }>(
      'query($id: ID!) { approval(id: $id) { stages { needed roles deadlineSeconds onDeadline } } }',
      { id },
    )
  return approval.stages
}

async function agentOf(org: Organization, name: string): Promise<string> {
  const { agents } = await org
    .as('viewer')
    .query<{ agents: { nodes: { id: string; name: string }[] } }>(
      '{ agents(first: 5) { nodes { id name } } }',
    )
  return agents.nodes.find((agent) => agent.name === name)?.id ?? expect.unreachable()
}

async function statusOf(org: Organization, id: string): Promise<string> {
  const { approval } = await org
    .as('viewer')
    .query<{ approval: { status: string } }>('query($id: ID!) { approval(id: $id) { status } }', { id })
  return approval.status
}

/** A policy on what is spent. */
const rule = (org: Organization, policy: object) =>
  enforce(org, { kind: 'RESOURCES', actions: ['money.spend'], ...policy })

/** A run of another workflow that has a refund done. */
async function refundBelow(org: Organization, sum: number): Promise<void> {
  const operator = org.as('operator')
  const input = { customer: 'customer', sum: 'sum', card: 'card' }
  const above = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'above',
    inputs: Object.keys(input),
    steps: [{ name: 'below', workflow: 'refunds', input }],
  })
  const [id = ''] = await startRuns(operator, above, [{ customer: 'ann', sum, card: '4711' }])
  await seen(org, id, 'COMPLETED')
}

test('what an agent may decide alone it does, and the record says by which matrix and for whom', async () => {
  const { org, refund } = await open()
  const id = await refund({ sum: 20 })
  expect(await seen(org, id, 'COMPLETED')).toMatchObject({ state: { refunded: { paid: 20 } } })
  expect(await entries(org, await taskOf(org, id))).toMatchObject([
    {
      actionType: 'decision',
      outcome: 'allowed',
      authorityVersion: '0',
      onBehalfOf: { kind: 'person' },
    },
  ])
  await refundBelow(org, 30)
  const { auditEntries } = await org.as('admin').query<{ auditEntries: { nodes: unknown[] } }>(
    `query($actor: String!) { auditEntries(actor: $actor, actionType: "decision") { nodes {
       summary actorKind onBehalfOf { id } } } }`,
    { actor: org.actor('operator').id },
  )
  // Also of what a run below did for whoever started the one above it.
  expect(auditEntries.nodes).toMatchObject(
    [1, 2].map(() => ({
      summary: 'Let through: refunder: money.spend',
      actorKind: 'agent',
      onBehalfOf: { id: org.actor('operator').id },
    })),
  )
})

test('a line of the matrix for a team is about what the agents of that team do', async () => {
  const org = await world.organization()
  const admin = org.as('admin')
  const { createDomain } = await admin.query<{ createDomain: { domain: { id: string } } }>(
    'mutation { createDomain(input: { name: "sales" }) { domain { id } } }',
  )
  const { createTeam } = await admin.query<{ createTeam: { team: { id: string } } }>(
    'mutation($id: ID!) { createTeam(input: { name: "east", domainId: $id }) { team { id } } }',
    { id: createDomain.domain.id },
  )
  await registerAgent(admin, httpAgentDocument('refunder', agent.url), createTeam.team.id)
  await registerAgent(admin, httpAgentDocument('stranger', agent.url))
  const [refunds] = REFUNDS.steps
  const steps = [refunds, { ...refunds, name: 'again', agent: 'stranger', output: 'repeated' }]
  const workflowId = await applyWorkflow(admin, { ...REFUNDS, steps })
  await admin.query(
    'mutation($input: SetAuthorityInput!) { setAuthority(input: $input) { matrix { version } } }',
    {
      input: {
        reason: 'the team pays',
        entries: [
          { level: 'ENTERPRISE', action: '*', ruling: 'ALONE' },
          { level: 'AGENT', action: 'money.spend', team: createTeam.team.id, ruling: 'ALONE' },
        ],
      },
    },
  )
  const [id = ''] = await startRuns(admin, workflowId, [{ customer: 'ann', sum: 700, card: '4711' }])
  const { tasks } = await seen(org, id, 'FAILED')
  expect(tasks).toMatchObject([{ status: 'COMPLETED' }, { error: { code: 'ACTION_DENIED' } }])
})

test('more than that waits for a person, who is not the one who had it done, and is done once', async () => {
  const { org, refund } = await open()
  const id = await refund({ sum: 200 })
  const { id: approval, arguments: asked } = await question(org, id)
  expect(asked).toEqual({ customer: 'ann', sum: 200, card: '4711' })
  expect(paid(id)).toEqual([])
  const agents = await org
    .as('agent')
    .send('mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }', {
      input: { id: approval, decision: 'APPROVE' },
    })
  expect(agents.body).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
  expect(await seen(org, id, 'COMPLETED')).toMatchObject({ state: { refunded: { paid: 200 } } })
  expect(paid(id)).toEqual([{ customer: 'ann', sum: 200, card: '4711' }])
})

test('an approver’s own arguments are what is done', async () => {
  const { org, refund } = await open()
  const id = await refund({ sum: 300 })
  const { id: approval } = await question(org, id)
  const finalArguments = { customer: 'ann', sum: 150, card: '4711' }
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE', finalArguments })
  await seen(org, id, 'COMPLETED')
  expect(paid(id)).toEqual([finalArguments])
})

test('where a step says what they must look like, others are refused at every place that does not fit', async () => {
  const { org } = await open()
  const [step] = REFUNDS.steps
  const arguments_schema = {
    type: 'object',
    required: ['customer', 'sum', 'card'],
    properties: { sum: { type: 'number', maximum: 250 }, customer: { const: 'ann' }, card: true },
    additionalProperties: false,
  }
  const governs = { action: 'money.spend', amount: 'sum', risk: 'medium', arguments_schema }
  const workflowId = await applyWorkflow(org.as('operator'), {
    ...REFUNDS,
    name: 'bounded refunds',
    steps: [{ ...step, governs }],
  })
  const [id = ''] = await startRuns(org.as('operator'), workflowId, [
    { customer: 'ann', sum: 300, card: '1' },
  ])
  const { id: approval } = await question(org, id)
  const refused = await org
    .as('approver')
    .send('mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }', {
      input: {
        id: approval,
        decision: 'APPROVE',
        finalArguments: { customer: 'bob', sum: 251, more: 1 },
      },
    })
  const [error] = refused.body.errors ?? []
  expect(error?.extensions?.['code']).toBe('BAD_INPUT')
  const problems = error?.extensions?.['problems']
  expect(Array.isArray(problems) && problems.map(({ path }) => String(path)).toSorted()).toEqual([
    'input.finalArguments',
    'input.finalArguments',
    'input.finalArguments.customer',
    'input.finalArguments.sum',
  ])
  const finalArguments = { customer: 'ann', sum: 250, card: '1' }
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE', finalArguments })
  await seen(org, id, 'COMPLETED')
  expect(paid(id)).toEqual([finalArguments])
})

test('what is turned down is not done, and says why', async () => {
  const { org, refund } = await open()
  const id = await refund({ sum: 400 })
  const { id: approval } = await question(org, id)
  await decide(org.as('approver'), { id: approval, decision: 'REJECT', comment: 'Not this one.' })
  expect(await seen(org, id, 'FAILED')).toMatchObject({
    error: { message: expect.stringContaining('Not this one.') },
    tasks: [{ error: { code: 'ACTION_REJECTED' } }],
  })
  expect(paid(id)).toEqual([])
  expect(await entries(org, await taskOf(org, id))).toMatchObject([
    { actionType: 'denial', outcome: 'rejected' },
  ])
})

test('what a policy forbids meanwhile is not done, although somebody said yes', async () => {
  const { org, refund } = await open()
  const id = await refund({ sum: 500 })
  const { id: approval } = await question(org, id)
  await rule(org, {
    name: 'No refunds to Ann',
    effect: 'DENY',
    condition: "context.arguments.customer == 'ann'",
  })
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
  expect(await seen(org, id, 'FAILED')).toMatchObject({ tasks: [{ error: { code: 'ACTION_DENIED' } }] })
  expect(paid(id)).toEqual([])
  expect(await entries(org, await taskOf(org, id))).toMatchObject([
    { actionType: 'denial', outcome: 'denied', policyVersion: expect.stringMatching(/@1$/) },
  ])
})

test('arguments that are not those that were approved are refused, and that is on record', async () => {
  const { org, refund } = await open()
  await rule(org, {
    name: 'Large refunds',
    effect: 'REQUIRE_APPROVAL',
    condition: 'context.amount > 1000',
    stages: [{ roles: ['admin'] }],
  })
  const refused = async (sum: number) => {
    const id = await refund({ sum: 600 })
    const { id: approval } = await question(org, id)
    await world.asOwner(
      `update task set input = input || jsonb_build_object('sum', $3::int) where organization_id = $1 and run_id = $2`,
      [org.id, id, sum],
    )
    await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
    expect(await seen(org, id, 'FAILED')).toMatchObject({ tasks: [{ error: { code: 'ACTION_CHANGED' } }] })
    expect(paid(id)).toEqual([])
    expect(await entries(org, await taskOf(org, id))).toMatchObject([
      { actionType: 'denial', outcome: 'changed' },
    ])
  }
  await refused(700)
  await refused(6_000) // about which others are asked
})

test('a policy asks one more than the matrix does, and an agent is not shown what it must not see', async () => {
  const { org, refund } = await open()
  await rule(org, {
    name: 'Large refunds',
    effect: 'REQUIRE_APPROVAL',
    condition: 'context.amount > 1000',
    stages: [{ roles: ['admin'] }],
  })
  await rule(org, { name: 'No card numbers', effect: 'REDACT', redact: ['$.arguments.card'] })
  const id = await refund({ sum: 2_000 })
  const { id: approval } = await question(org, id)
  const first = await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
  expect(first.decideApproval.approval.status).toBe('PENDING')
  const last = await decide(org.as('admin'), { id: approval, decision: 'APPROVE' })
  expect(last.decideApproval.approval.status).toBe('APPROVED')
  await seen(org, id, 'COMPLETED')
  expect(paid(id)).toEqual([{ customer: 'ann', sum: 2_000, card: '[redacted]' }])

  // Who said yes first may not any more when the last one says it.
  const { assignRole } = await org
    .as('admin')
    .query<{ assignRole: { assignment: { id: string } } }>(
      `mutation($id: ID!) { assignRole(input: { role: "approver", principalId: $id }) { assignment { id } } }`,
      { id: org.actor('viewer').id },
    )
  const lost = await refund({ sum: 3_000 })
  const { id: other } = await question(org, lost)
  const says = 'mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }'
  const yes = { input: { id: other, decision: 'APPROVE' } }
  await expect
    .poll(async () => (await org.as('viewer').send(says, yes)).body.errors, PATIENCE)
    .toBeUndefined()
  await org
    .as('admin')
    .query('mutation($id: ID!) { revokeAssignment(input: { id: $id }) { assignment { id } } }', {
      id: assignRole.assignment.id,
    })
  await decide(org.as('admin'), yes.input)
  expect(await seen(org, lost, 'FAILED')).toMatchObject({ tasks: [{ error: { code: 'ACTION_DENIED' } }] })
  expect(paid(lost)).toEqual([])
})

test('a deadline holds also where a policy asks nobody in particular', async () => {
  const { org } = await open()
  await rule(org, {
    name: 'Somebody looks at small refunds',
    effect: 'ESCALATE',
    escalateTo: 'DOMAIN',
    condition: 'context.amount <= 50',
  })
  const governs = { action: 'money.spend', amount: 'sum', risk: 'medium' }
  const [step] = REFUNDS.steps
  const workflowId = await applyWorkflow(org.as('operator'), {
    ...REFUNDS,
    name: 'refunds in time',
    steps: [{ ...step, governs: { ...governs, deadline: '1h', on_deadline: 'reject' } }],
  })
  const [id = ''] = await startRuns(org.as('operator'), workflowId, [{ customer: 'ann', card: '1', sum: 5 }])
  const { id: approval } = await question(org, id)
  expect(await stagesOf(org, approval)).toEqual([
    { needed: 1, roles: ['approver', 'admin'], deadlineSeconds: 3_600, onDeadline: 'REJECT' },
  ])
  await world.asOwner('update approval set expires_at = now() where organization_id = $1 and id = $2', [
    org.id,
    approval,
  ])
  expect(await seen(org, id, 'FAILED')).toMatchObject({ tasks: [{ error: { code: 'ACTION_REJECTED' } }] })
  expect(paid(id)).toEqual([])
})

test('a review is decided by who has its role, and by nobody else', async () => {
  const org = await world.organization()
  const admin = org.as('admin')
  await admin.query(
    `mutation { setRole(input: { name: "legal", description: "Reads contracts.", scopes: ["approvals:decide"] })
      { role { name } } }`,
  )
  await admin.query(
    `mutation($id: ID!) { assignRole(input: { role: "legal", principalId: $id }) { assignment { id } } }`,
    { id: org.actor('viewer').id },
  )
  const workflowId = await applyWorkflow(org.as('operator'), {
    format: 'tutti/1',
    name: 'sign',
    inputs: ['contract'],
    steps: [
      {
        name: 'sign',
        question: 'Sign it?',
        role: 'legal',
        input: 'contract',
        arguments_schema: { type: 'object', properties: { contract: { type: 'string' } } },
        output: 'decision',
        if_rejected: 'end',
      },
    ],
  })
  const [id = ''] = await startRuns(org.as('operator'), workflowId, [{ contract: 'c' }])
  const { id: approval } = await question(org, id)
  expect(await stagesOf(org, approval)).toMatchObject([{ roles: ['legal'] }])
  for (const role of ['admin', 'approver'] as const) {
    const { body } = await org
      .as(role)
      .send(
        'mutation($id: ID!) { decideApproval(input: { id: $id, decision: APPROVE }) { approval { id } } }',
        {
          id: approval,
        },
      )
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'NOT_A_DECIDER' } }] })
  }
  const waiting = () => org.as('viewer').send('{ approvalInbox { nodes { id } } }')
  await expect
    .poll(async () => (await waiting()).body.data, PATIENCE)
    .toEqual({ approvalInbox: { nodes: [{ id: approval }] } })
  const finalArguments = { contract: 'd' }
  await decide(org.as('viewer'), { id: approval, decision: 'APPROVE', finalArguments })
  const by = org.actor('viewer').name
  expect(await seen(org, id, 'COMPLETED')).toMatchObject({
    state: { decision: { outcome: 'approve', by, comment: null, arguments: finalArguments } },
  })
  // Nobody can be asked about so much: the step says so, instead of waiting for what cannot come.
  const [large = ''] = await startRuns(org.as('operator'), workflowId, [{ contract: 'x'.repeat(300_000) }])
  expect(await seen(org, large, 'FAILED')).toMatchObject({ error: { code: 'REVIEW_UNASKABLE' } })
})

test('what was reviewed is what is done: a fork with something else in its place begins before the review', async () => {
  const { org } = await open()
  const operator = org.as('operator')
  const workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'signed refunds',
    inputs: ['sum', 'card'],
    steps: [
      { name: 'sign', question: 'Pay it?', input: 'sum', if_rejected: 'end' },
      { name: 'pay', agent: 'refunder', input: ['sum', 'card'], output: 'refunded' },
    ],
  })
  const [id = ''] = await startRuns(operator, workflowId, [{ sum: 4, card: '1' }])
  await decide(org.as('approver'), { id: (await question(org, id)).id, decision: 'APPROVE' })
  await seen(org, id, 'COMPLETED')
  const fork = async (stepPath: string, input: object) => {
    const { body } = await operator.send(
      'mutation ($input: ForkRunInput!) { forkRun(input: $input) { run { id } } }',
      { input: { id, stepPath, ...input } },
    )
    return body as { data?: { forkRun: { run: { id: string } } }; errors?: unknown }
  }
  for (const changed of [{ input: { sum: 1_000_000 } }, { state: { sum: 1_000_000 } }])
    expect(await fork('pay', changed)).toMatchObject({
      errors: [{ extensions: { code: 'INVALID_STATE', hint: 'Fork from sign.' } }],
    })
  const asked = (await fork('sign', { input: { sum: 1_000_000 } })).data?.forkRun.run.id ?? ''
  expect((await question(org, asked)).arguments).toEqual({ sum: 1_000_000 })
  const other = (await fork('pay', { input: { card: '2' } })).data?.forkRun.run.id ?? ''
  await seen(org, other, 'COMPLETED')
  expect([paid(asked), paid(other)]).toEqual([[], [{ sum: 4, card: '2' }]])
})

test('other arguments that somebody approves are ruled on as those asked for are', async () => {
  const { org, refund } = await open()
  // Less than nothing is within no bound.
  expect((await question(org, await refund({ sum: -1_000_000 }))).status).toBe('PENDING')
  await rule(org, { name: 'Never more than 1000', effect: 'DENY', condition: 'context.amount > 1000.0' })
  await rule(org, {
    name: 'Large ones are an administrator’s',
    effect: 'REQUIRE_APPROVAL',
    condition: 'context.amount > 400.0',
    stages: [{ roles: ['admin'] }],
  })
  const approve = async (id: string, sum: number) =>
    decide(org.as('approver'), {
      id: (await question(org, id)).id,
      decision: 'APPROVE',
      finalArguments: { customer: 'ann', sum, card: '4711' },
    })
  const [tooMuch, more, less] = [
    await refund({ sum: 300 }),
    await refund({ sum: 310 }),
    await refund({ sum: 320 }),
  ]
  await approve(tooMuch, 1_000_000)
  await approve(less, 20)
  await approve(more, 500)
  expect(await seen(org, tooMuch, 'FAILED')).toMatchObject({ error: { code: 'ACTION_DENIED' } })
  await seen(org, less, 'COMPLETED')
  const asked = async () => (await readRun(org.as('viewer'), more)).tasks[0]?.approval?.arguments
  await expect.poll(asked, PATIENCE).toMatchObject({ sum: 500 })
  for (const role of ['approver', 'admin'] as const)
    await decide(org.as(role), { id: (await question(org, more)).id, decision: 'APPROVE' })
  await seen(org, more, 'COMPLETED')
  expect([paid(tooMuch), paid(less), paid(more)]).toMatchObject([[], [{ sum: 20 }], [{ sum: 500 }]])
})

test('whoever had a run started asks anew with other arguments what went back, and that is ruled on too', async () => {
  const { org, refund } = await open()
  await rule(org, { name: 'Never more than 1000', effect: 'DENY', condition: 'context.amount > 1000.0' })
  const ids = [await refund({ sum: 300 }), await refund({ sum: 310 })]
  for (const [place, sum] of [1_000_000, 150].entries()) {
    const { id } = await question(org, ids[place] ?? '')
    await decide(org.as('approver'), { id, decision: 'REQUEST_CHANGES', comment: 'Another sum.' })
    const { resubmitApproval } = await org
      .as('operator')
      .query<{ resubmitApproval: { approval: { digest: string } } }>(
        `mutation($input: ResubmitApprovalInput!) { resubmitApproval(input: $input) { approval { digest } } }`,
        { input: { id, arguments: { customer: 'ann', sum, card: '4711' } } },
      )
    const { digest } = resubmitApproval.approval
    await decide(org.as('approver'), { id, decision: 'APPROVE', digest })
  }
  const [tooMuch = '', less = ''] = ids
  expect(await seen(org, tooMuch, 'FAILED')).toMatchObject({ error: { code: 'ACTION_DENIED' } })
  await seen(org, less, 'COMPLETED')
  expect([paid(tooMuch), paid(less)]).toMatchObject([[], [{ sum: 150 }]])
})

test('a yes of those whom the rules asked for is none when they ask for others since', async () => {
  const { org, refund } = await open()
  const id = await refund({ sum: 300 })
  const { id: approval } = await question(org, id)
  await rule(org, { name: 'Administrators', effect: 'REQUIRE_APPROVAL', stages: [{ roles: ['admin'] }] })
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
  const asked = async () => (await question(org, id)).id
  await expect.poll(asked, PATIENCE).not.toBe(approval)
  expect(paid(id)).toEqual([])
  for (const role of ['approver', 'admin'] as const)
    await decide(org.as(role), { id: await asked(), decision: 'APPROVE' })
  await seen(org, id, 'COMPLETED')
  expect(paid(id)).toMatchObject([{ sum: 300 }])
})

/** Has an administrator give a run's task to an agent: what was asked is taken back, and the agent asks anew. */
async function giveTo(org: Organization, id: string, agentId: string): Promise<string> {
  const { id: before } = await question(org, id)
  await org
    .as('admin')
    .query('mutation ($input: ReassignTaskInput!) { reassignTask(input: $input) { task { id } } }', {
      input: { id: await taskOf(org, id), agentId, reason: 'In its place.' },
    })
  await expect.poll(async () => (await question(org, id)).id, PATIENCE).not.toBe(before)
  await expect.poll(() => statusOf(org, before), PATIENCE).toBe('WITHDRAWN')
  return (await question(org, id)).id
}

test('a yes is for the agent that was to do it: another one asks anew, and whoever chose it does not decide', async () => {
  const { org, refund } = await open()
  const [operator, admin, approver] = [org.as('operator'), org.as('admin'), org.as('approver')]
  await using other = await startHttpAgent(() => ({ output: { paid: 0 } }))
  const otherId = await registerAgent(operator, httpAgentDocument('other', other.url))
  const id = await refund({ sum: 300 })
  await giveTo(org, id, otherId)
  const last = await giveTo(org, id, await agentOf(org, 'refunder'))
  await expect(decide(admin, { id: last, decision: 'APPROVE' })).rejects.toThrow('SEPARATION_OF_DUTIES')
  await decide(approver, { id: last, decision: 'APPROVE' })
  await seen(org, id, 'COMPLETED')
  expect(paid(id)).toMatchObject([{ sum: 300 }])
  expect(other.calls).toEqual([])

  // The same where an agent is a person.
  const person = (name: string) =>
    registerAgent(
      operator,
      `metadata: { name: ${name}, type: office.clerk, version: "1" }\nexecutor: { type: person }`,
    )
  const [clerk, deputy] = [await person('clerk'), await person('deputy')]
  const steps = [{ name: 'file', agent: 'clerk', output: 'filed' }]
  const workflowId = await applyWorkflow(operator, { format: 'tutti/1', name: 'filing', steps })
  const [filing = ''] = await startRuns(operator, workflowId, [{}])
  await giveTo(org, filing, deputy)
  await decide(approver, { id: await giveTo(org, filing, clerk), decision: 'APPROVE' })
  await seen(org, filing, 'COMPLETED')
})

test('what an agent says that it does is governed wherever it does it: also as another one plans it, and to undo', async () => {
  const { org } = await open()
  const operator = org.as('operator')
  const cases = { governs: { action: 'implementation.choose' }, retry: { attempts: 1 } }
  await using planner = await startHttpAgent(() => ({
    output: { $plan: [{ name: 'pay', agent: 'refunder', input: 'sum', output: 'paid', ...cases }] },
  }))
  await using broken = await startHttpAgent(() => ({ output: {}, status: 400 }))
  await registerAgent(operator, httpAgentDocument('planner', planner.url))
  await registerAgent(operator, httpAgentDocument('broken', broken.url))
  await registerAgent(
    operator,
    `${httpAgentDocument('refunder', agent.url)}governs: { action: money.spend, amount: sum }\n`,
  )
  const apply = (name: string, ...steps: object[]) =>
    applyWorkflow(operator, { format: 'tutti/1', name, inputs: ['sum'], steps })
  const plain = await apply('plain', { name: 'pay', agent: 'refunder', input: 'sum' })
  const planned = await apply('planned', { name: 'think', agent: 'planner', input: 'sum', plan: true })
  const undone = await apply(
    'undone',
    {
      name: 'think',
      agent: 'refunder',
      input: 'sum',
      governs: 'implementation.choose',
      compensate: 'refunder',
    },
    { name: 'break', agent: 'broken', retry: { attempts: 1 } },
  )
  const start = async (workflowId: string) => (await startRuns(operator, workflowId, [{ sum: 300 }]))[0] ?? ''

  const asked = await start(plain)
  expect(await question(org, asked)).toMatchObject({
    title: 'refunder: money.spend',
    arguments: { sum: 300 },
  })
  await decide(org.as('approver'), { id: (await question(org, asked)).id, decision: 'APPROVE' })
  await seen(org, asked, 'COMPLETED')
  expect(paid(asked)).toEqual([{ sum: 300 }])

  const before = agent.calls.length
  await rule(org, { name: 'Nothing is spent', effect: 'DENY', condition: 'true' })
  const [plan, undo] = [await start(planned), await start(undone)]
  expect(await seen(org, plan, 'FAILED')).toMatchObject({ error: { code: 'ACTION_DENIED' } })
  expect((await seen(org, undo, 'FAILED')).tasks).toContainEqual(
    expect.objectContaining({ stepPath: 'think~undo', error: { code: 'ACTION_DENIED' } }),
  )
  expect(agent.calls.slice(before).map(({ json }) => json.runId)).toEqual([undo])
})

/** Of an organization whose refunds are done by workers outside: a claim's tasks. */
async function outside(org: Organization): Promise<() => Promise<{ input: object; attempt: number }[]>> {
  await registerAgent(
    org.as('operator'),
    'metadata: { name: refunder, type: support.refund, version: "2" }\nexecutor: { type: external }',
  )
  return async () => {
    const { claimTasks } = await org
      .as('operator')
      .query<{ claimTasks: { tasks: { input: object; attempt: number }[] } }>(
        'mutation { claimTasks(input: { agent: "refunder" }) { tasks { input attempt } } }',
      )
    return claimTasks.tasks
  }
}

/** A refund that waits for a worker outside, since an hour. */
async function offered(org: Organization, refund: (input: object) => Promise<string>): Promise<string> {
  const id = await refund({ sum: 20 })
  await aged(org, id)
  return id
}

async function aged(org: Organization, runId: string): Promise<void> {
  const items = () =>
    world.asOwner(
      `update board_item set created_at = now() - interval '1 hour'
       where organization_id = $1 and run_id = $2 and status = 'open' returning id`,
      [org.id, runId],
    )
  await expect.poll(async () => (await items()).length, PATIENCE).toBe(1)
}

test('a worker outside is given what was approved, without what it must not see', async () => {
  const { org, refund } = await open()
  const claim = await outside(org)
  await rule(org, { name: 'Cards are hidden', effect: 'REDACT', redact: ['$.arguments.card'] })
  const id = await refund({ sum: 300 })
  const finalArguments = { customer: 'ann', sum: 150, card: '4711' }
  await decide(org.as('approver'), {
    id: (await question(org, id)).id,
    decision: 'APPROVE',
    finalArguments,
  })
  await expect
    .poll(async () => (await claim())[0]?.input, PATIENCE)
    .toEqual({ customer: 'ann', sum: 150, card: expect.not.stringContaining('4711') })
})

test('what waits for a worker outside is asked about again when one claims it', async () => {
  const { org, refund } = await open()
  const claim = await outside(org)
  await offered(org, refund)
  await expect.poll(claim, PATIENCE).toMatchObject([{ input: { sum: 20 }, attempt: 1 }])

  const asking = await offered(org, refund)
  await rule(org, {
    name: 'Somebody looks',
    effect: 'REQUIRE_APPROVAL',
    condition: 'context.amount < 50.0',
    stages: [{ roles: ['approver'] }],
  })
  expect(await claim()).toEqual([])
  const { id: approval } = await question(org, asking)
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
  await expect.poll(claim, PATIENCE).toMatchObject([{ input: { sum: 20 }, attempt: 1 }])

  const forbidden = await refund({ sum: 30 })
  await decide(org.as('approver'), { id: (await question(org, forbidden)).id, decision: 'APPROVE' })
  await aged(org, forbidden)
  await rule(org, { name: 'No more', effect: 'DENY', condition: 'context.amount > 25.0' })
  expect(await claim()).toEqual([])
  expect(await seen(org, forbidden, 'FAILED')).toMatchObject({ error: { code: 'ACTION_DENIED' } })
  expect(await entries(org, await taskOf(org, forbidden))).toMatchObject([
    { actionType: 'denial', outcome: 'denied' },
    { actionType: 'decision', outcome: 'allowed' },
  ])
})

test('whoever did a step before by hand does not approve what comes of it', async () => {
  const org = await world.organization()
  const [operator, admin] = [org.as('operator'), org.as('admin')]
  await registerAgent(
    operator,
    `metadata: { name: preparer, type: support.prepare, version: "1" }
capabilities: [preparing]
executor: { type: external }`,
  )
  await registerAgent(operator, httpAgentDocument('refunder', agent.url))
  const [refund] = REFUNDS.steps
  const workflowId = await applyWorkflow(operator, {
    ...REFUNDS,
    inputs: ['customer'],
    steps: [
      { name: 'prepare', agent: 'preparer', input: { customer: 'customer' }, output: 'order' },
      { ...refund, input: { customer: 'customer', sum: 'order.sum', card: 'order.card' } },
    ],
  })
  const [id = ''] = await startRuns(operator, workflowId, [{ customer: 'ann' }])
  await expect
    .poll(async () => (await readRun(org.as('viewer'), id)).tasks[0]?.status, PATIENCE)
    .toBe('WAITING')
  await admin.query(
    'mutation ($input: CompleteTaskByHandInput!) { completeTaskByHand(input: $input) { task { id } } }',
    { input: { id: await taskOf(org, id), output: { sum: 400, card: 'mine' }, reason: 'By hand.' } },
  )
  const ask = async () =>
    (await readRun(org.as('viewer'), id)).tasks.map(({ approval }) => approval).find((each) => each != null)
  await expect.poll(ask, PATIENCE).toBeDefined()
  const { id: approval } = (await ask()) ?? expect.unreachable()
  await expect(decide(admin, { id: approval, decision: 'APPROVE' })).rejects.toThrow('SEPARATION_OF_DUTIES')
  const { authors } = (
    await org
      .as('viewer')
      .query<{ approval: { authors: string[] } }>('query ($id: ID!) { approval(id: $id) { authors } }', {
        id: approval,
      })
  ).approval
  expect(authors).toEqual([org.actor('operator').id, org.actor('admin').id])
  await decide(org.as('approver'), { id: approval, decision: 'APPROVE' })
  await seen(org, id, 'COMPLETED')
})
