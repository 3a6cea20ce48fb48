import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openEscalation } from '../escalations/open-escalation.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { approvalDecision } from './approval-decision.ts'
import { settleDueApprovals } from './settle-due-approvals.ts'
import { requestApproval } from './request-approval.ts'

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

const request = (requestKey: string) =>
  requestApproval(world, operator, {
    requestKey,
    title: 'Send this reply?',
    action: 'reply.send',
    arguments: {},
    reason: 'low confidence',
    taskId: TASK,
    expiresAt: new Date(Date.now() + 3_600_000),
  })

/** Its time has passed; nothing waits for real time here. */
const letTimePass = (id: string) =>
  world.database.inTenant(admin, (tx) =>
    tx.sql(
      `update approval set expires_at = now() - interval '1 second' where id = $1::uuid returning id`,
      id,
    ),
  )

test('what nobody decided in time ends, once, with its event and its entry; what still has time does not', async () => {
  const overdue = await request('overdue')
  const open = await request('open')
  await letTimePass(overdue.id)
  const ids = [overdue.id, open.id, 'no id']
  const ended = await Promise.all([1, 2, 3].map(() => settleDueApprovals(world, admin, ids)))
  expect(ended.reduce((sum, each) => sum + each)).toBe(1)
  expect((await world.events(admin, 'approval.expired')).map(({ data }) => data)).toEqual([
    { approvalId: overdue.id, runId: null, taskId: TASK, decision: 'expired' },
  ])
  const trail = await world.ask(
    admin,
    'query ($subject: String) { auditEntries(subject: $subject) { nodes { summary details } } }',
    { subject: `approval/${overdue.id}` },
  )
  const entries = trail.data['auditEntries']?.['nodes'] as { details: { decision?: string } }[]
  expect(entries.filter(({ details }) => details.decision === 'expired')).toHaveLength(1)
  expect(await approvalDecision(world, admin, overdue.id)).toMatchObject({
    decision: 'expired',
    decidedBy: 'nobody',
  })
  expect(await approvalDecision(world, admin, open.id)).toBeNull()
})

test('an escalation that waited for it ends with it', async () => {
  const { approvalId } = await openEscalation(world, operator, {
    requestKey: 'e',
    title: 'A draft needs eyes',
    reason: 'low confidence',
    level: 'person',
    context: {},
    approval: {
      title: 'Send this reply?',
      action: 'reply.send',
      arguments: {},
      reason: 'low confidence',
      expiresAt: new Date(Date.now() + 3_600_000),
    },
  })
  if (approvalId === null) throw new Error('no approval')
  await letTimePass(approvalId)
  expect(await settleDueApprovals(world, admin, [approvalId])).toBe(1)
  expect((await world.events(admin, 'escalation.resolved')).map(({ data }) => data['resolution'])).toEqual([
    'expired',
  ])
})

test('another tenant ends nothing here', async () => {
  const { id } = await request('ours')
  await letTimePass(id)
  expect(await settleDueApprovals(world, await world.organization(), [id])).toBe(0)
  expect(await settleDueApprovals(world, admin, [id])).toBe(1)
})
