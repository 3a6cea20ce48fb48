import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openEscalation } from '../escalations/open-escalation.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { requestApproval } from './request-approval.ts'

let world: World
let admin: Actor
let approver: Actor
let operator: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
  approver = colleague(admin, 'approver')
  operator = colleague(admin, 'operator')
})

const RUN = '01990000-0000-7000-8000-000000000001'
const TASK = '01990000-0000-7000-8000-000000000002'

const requestFrom = async (actor: Actor, more: object = {}) =>
  requestApproval(world, actor, {
    requestKey: 'k1',
    title: 'Send this reply?',
    action: 'reply.send',
    arguments: { to: 'ada@example.org', text: 'Hello' },
    reason: 'low confidence',
    runId: RUN,
    taskId: TASK,
    ...more,
  })

const DECIDE = `mutation ($input: DecideApprovalInput!) {
  decideApproval(input: $input) { approval { status comment finalArguments decidedBy { id name } decidedAt } }
}`
const decide = (actor: Actor, input: object) => world.ask(actor, DECIDE, { input })

test('a yes is recorded with its event, its audit entry, and who said it', async () => {
  const { id, digest } = await requestFrom(operator)
  const { data, code } = await decide(approver, { id, digest, decision: 'APPROVE', comment: 'fine' })
  expect(code).toBeNull()
  expect(data['decideApproval']?.['approval']).toMatchObject({
    status: 'APPROVED',
    comment: 'fine',
    decidedBy: { id: approver.id, name: 'approver' },
    decidedAt: expect.any(String),
  })
  expect((await world.events(admin, 'approval.decided')).map((event) => event.data)).toEqual([
    { approvalId: id, runId: RUN, taskId: TASK, decision: 'approved', decidedBy: approver.id },
  ])
  const trail = await world.ask(
    admin,
    `query ($subject: String) { auditEntries(subject: $subject) { nodes { actionType actorId details relatedTasks } } }`,
    { subject: `approval/${id}` },
  )
  expect(trail.data['auditEntries']?.['nodes']).toMatchObject([
    {
      actionType: 'decision',
      actorId: approver.id,
      relatedTasks: [TASK],
      details: { context: { digest }, decision: 'approved', reasoning: 'fine' },
    },
    { actionType: 'execution', actorId: operator.id },
  ])
})

test('of fifty who decide at once, differently, exactly one has an effect', async () => {
  const { id } = await requestFrom(operator)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      decide(colleague(admin, 'approver', `approver-${n}`), {
        id,
        decision: n % 2 === 0 ? 'APPROVE' : 'REJECT',
      }),
    ),
  )
  const codes = answers.map((answer) => answer.code)
  expect(codes.filter((code) => code === null)).toHaveLength(1)
  expect(codes.filter((code) => code === 'ALREADY_DECIDED')).toHaveLength(49)
  expect(await world.events(admin, 'approval.decided')).toHaveLength(1)
})

test('one who clicks ten times at once decides once, and each click is answered with the decision', async () => {
  const { id } = await requestFrom(operator)
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => decide(approver, { id, decision: 'REJECT' })),
  )
  expect(answers.map((answer) => answer.code)).toEqual(Array.from({ length: 10 }, () => null))
  expect(await world.events(admin, 'approval.decided')).toHaveLength(1)
  expect((await decide(approver, { id, decision: 'APPROVE' })).code).toBe('ALREADY_DECIDED')
})

test('whoever asked cannot decide, whatever else they may', async () => {
  const { id } = await requestFrom(admin)
  expect((await decide(admin, { id, decision: 'APPROVE' })).code).toBe('SEPARATION_OF_DUTIES')
  expect((await decide(approver, { id, decision: 'APPROVE' })).code).toBeNull()
})

test('an agent with the right to decide cannot decide its own question, nor another agent its', async () => {
  const bot = { ...colleague(admin, 'approver', 'bot'), kind: 'agent' as const }
  const { id } = await requestFrom(bot)
  expect((await decide(bot, { id, decision: 'APPROVE' })).code).toBe('SEPARATION_OF_DUTIES')
  expect((await decide({ ...bot, id: 'bot-2' }, { id, decision: 'APPROVE' })).code).toBe(
    'SEPARATION_OF_DUTIES',
  )
})

test.each(['viewer', 'operator', 'agent'] as const)('a %s may not decide', async (role) => {
  const { id } = await requestFrom(admin)
  expect((await decide(colleague(admin, role), { id, decision: 'APPROVE' })).code).toBe('FORBIDDEN')
  expect(await world.events(admin, 'approval.decided')).toHaveLength(0)
})

test('a decision for something else than was asked is a conflict', async () => {
  const { id } = await requestFrom(operator)
  const { code, extensions } = await decide(approver, { id, decision: 'APPROVE', digest: 'f'.repeat(64) })
  expect([code, extensions['argument']]).toEqual(['CONFLICT', 'input.digest'])
})

test('nobody decides after the time has passed, and the approval says so', async () => {
  const { id } = await requestFrom(operator, { expiresAt: new Date(Date.now() + 60_000) })
  await world.database.inTenant(admin, (tx) =>
    tx.sql(`update approval set expires_at = now() - interval '1 second'`),
  )
  expect((await decide(approver, { id, decision: 'APPROVE' })).code).toBe('INVALID_STATE')
  const { data } = await world.ask(
    admin,
    `query ($id: ID!) { approval(id: $id) { status }
       pending: approvals(status: PENDING) { nodes { id } } expired: approvals(status: EXPIRED) { nodes { id } } }`,
    { id },
  )
  expect(data).toEqual({
    approval: { status: 'EXPIRED' },
    pending: { nodes: [] },
    expired: { nodes: [{ id }] },
  })
})

test('a yes with other arguments keeps both; a no has none', async () => {
  const { id } = await requestFrom(operator)
  const finalArguments = { to: 'ada@example.org', text: 'Hello, Ada' }
  expect((await decide(approver, { id, decision: 'REJECT', finalArguments })).code).toBe('BAD_INPUT')
  const { data } = await decide(approver, { id, decision: 'APPROVE', finalArguments })
  expect(data['decideApproval']?.['approval']).toMatchObject({ status: 'APPROVED', finalArguments })
})

test('the decision settles the escalation that asked for it, once', async () => {
  const open = () =>
    openEscalation(world, operator, {
      requestKey: 'task/1',
      title: 'Angry customer',
      reason: 'quality below minimum',
      level: 'person',
      context: {},
      runId: RUN,
      taskId: TASK,
      approval: { title: 'Send?', action: 'reply.send', arguments: { text: 'x' }, reason: 'low' },
    })
  const opened = await Promise.all([open(), open(), open()])
  expect(new Set(opened.map((each) => each.id)).size).toBe(1)
  const approvalId = opened[0]?.approvalId
  const resolve = `mutation ($input: ResolveEscalationInput!) { resolveEscalation(input: $input) { escalation { id } } }`
  const byHand = await world.ask(approver, resolve, { input: { id: opened[0]?.id, resolution: 'done' } })
  expect(byHand.code).toBe('INVALID_STATE')
  await decide(approver, { id: approvalId, decision: 'APPROVE' })
  await decide(approver, { id: approvalId, decision: 'APPROVE' })
  const types = (await world.events(admin)).map((event) => event.type)
  expect(types.filter((type) => type !== 'audit.recorded')).toEqual([
    'approval.requested',
    'escalation.opened',
    'approval.decided',
    'escalation.resolved',
  ])
  const { data } = await world.ask(
    admin,
    `query ($id: ID!) { escalation(id: $id) { status resolution approval { status } run { id } } }`,
    { id: opened[0]?.id },
  )
  expect(data['escalation']).toEqual({
    status: 'RESOLVED',
    resolution: 'approved',
    approval: { status: 'APPROVED' },
    run: { id: RUN },
  })
})

const REQUEST = `mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id digest } } }`
const question = { title: 'T', action: 'a', arguments: { b: 1, a: [2] }, reason: 'r', idempotencyKey: 'k' }

test('the same key with the same question is the same approval, with another question a mistake', async () => {
  const first = await world.ask(operator, REQUEST, { input: question })
  const again = await world.ask(operator, REQUEST, {
    input: { ...question, arguments: { a: [2], b: 1 } },
  })
  expect(again.data).toEqual(first.data)
  const other = await world.ask(operator, REQUEST, { input: { ...question, arguments: { a: [2], b: 2 } } })
  expect(other.code).toBe('IDEMPOTENCY_KEY_REUSED')
  const colleagues = await world.ask(admin, REQUEST, { input: question })
  expect(colleagues.code).toBeNull()
  expect(colleagues.data).not.toEqual(first.data)
})

test('all mistakes of a question are told at once', async () => {
  const { code, extensions } = await world.ask(operator, REQUEST, {
    input: { ...question, title: 'x'.repeat(201), action: ' ', reason: 'a\0b', arguments: { deep: 'a\0' } },
  })
  expect(code).toBe('BAD_INPUT')
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map((problem) => problem.path).sort()).toEqual([
    'input.action',
    'input.arguments',
    'input.reason',
    'input.title',
  ])
})

test('an agent may ask, and read what it asked, and no other approval', async () => {
  const agent = colleague(admin, 'agent')
  const { data, code } = await world.ask(agent, REQUEST, { input: question })
  expect(code).toBeNull()
  const approval = data['requestApproval']?.['approval'] as { id: string } | undefined
  expect((await world.ask(agent, `{ approval(id: "${approval?.id}") { id } }`)).code).toBe('FORBIDDEN')
  expect((await world.ask(agent, '{ approvals { nodes { id } } }')).code).toBe('FORBIDDEN')
})
