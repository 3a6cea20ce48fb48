import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openEscalation } from '../escalations/open-escalation.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { approvalDecision } from './approval-decision.ts'
import { decideApproval } from './decide-approval.ts'
import { requestApproval } from './request-approval.ts'
import { withdrawApprovals } from './withdraw-approvals.ts'

let world: World
let admin: Actor
let operator: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
  operator = colleague(admin, 'operator')
})

const TASK = '01990000-0000-7000-8000-000000000002'
const OTHER = '01990000-0000-7000-8000-000000000003'
const question = { title: 'Send this reply?', action: 'reply.send', arguments: {}, reason: 'unsure' }
const request = (requestKey: string, taskId: string) =>
  requestApproval(world, operator, { ...question, requestKey, taskId })

test('what is asked for a task that ended is taken back, once, and cannot be decided any more', async () => {
  const [open, decided, other] = [
    await request('open', TASK),
    await request('decided', TASK),
    await request('other', OTHER),
  ]
  await decideApproval(world, admin, { id: decided.id, decision: 'APPROVE' })
  expect(await withdrawApprovals(world, admin, [TASK, 'no id'])).toBe(1)
  expect(await withdrawApprovals(world, admin, [TASK])).toBe(0)
  expect((await world.events(admin, 'approval.withdrawn')).map(({ data }) => data)).toEqual([
    { approvalId: open.id, runId: null, taskId: TASK },
  ])
  await expect(decideApproval(world, admin, { id: open.id, decision: 'APPROVE' })).rejects.toMatchObject({
    code: 'INVALID_STATE',
  })
  expect(await approvalDecision(world, admin, open.id)).toBeNull()
  const listed = await world.ask(
    admin,
    `{ withdrawn: approvals(status: WITHDRAWN) { nodes { id } } pending: approvals(status: PENDING) { nodes { id } }
       approved: approvals(status: APPROVED) { nodes { id } } }`,
  )
  expect(listed.data).toMatchObject({
    withdrawn: { nodes: [{ id: open.id }] },
    pending: { nodes: [{ id: other.id }] },
    approved: { nodes: [{ id: decided.id }] },
  })
})

test('an escalation that waited for it ends with it, and another tenant takes nothing back', async () => {
  const { approvalId } = await openEscalation(world, operator, {
    requestKey: 'e',
    title: 'A draft needs eyes',
    reason: 'low confidence',
    level: 'person',
    taskId: TASK,
    context: {},
    approval: question,
  })
  expect(approvalId).not.toBeNull()
  expect(await withdrawApprovals(world, await world.organization(), [TASK])).toBe(0)
  expect(await withdrawApprovals(world, admin, [TASK])).toBe(1)
  expect((await world.events(admin, 'escalation.resolved')).map(({ data }) => data['resolution'])).toEqual([
    'withdrawn',
  ])
})
