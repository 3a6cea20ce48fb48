import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const entry = {
  actionType: 'decision',
  domain: 'customer-service',
  summary: 'Refunded 20 EUR',
  details: { decision: 'refund', options_considered: ['refund', 'refuse'] },
  subject: 'ticket/1',
}
const append = (actor: Actor, input: object) =>
  world.ask(
    actor,
    `mutation ($input: AppendAuditEntryInput!) { appendAuditEntry(input: $input) {
       entry { id actorId actorKind agent { id } classification significance details relatedTasks } } }`,
    { input },
  )
const list = async (filter: string) =>
  (await world.ask(admin, `{ auditEntries(${filter}) { nodes { summary } } }`)).data['auditEntries']?.[
    'nodes'
  ]

test('an entry is the doing of whoever called, whatever it says', async () => {
  const agentId = '01990000-0000-7000-8000-00000000000a'
  const { data } = await append({ ...colleague(admin, 'agent'), agentId }, { ...entry, relatedTasks: ['t1'] })
  expect(data['appendAuditEntry']?.['entry']).toMatchObject({
    actorId: 'agent-of-tests',
    actorKind: 'agent',
    agent: { id: agentId },
    classification: 'internal',
    significance: 'standard',
    details: entry.details,
    relatedTasks: ['t1'],
  })
})

test('the trail is listed newest first, and by subject and type', async () => {
  for (const [summary, subject, actionType] of [
    ['one', 'a/1', 'decision'],
    ['two', 'a/2', 'decision'],
    ['three', 'a/1', 'escalation'],
  ]) {
    await append(admin, { ...entry, summary, subject, actionType })
  }
  expect(await list('first: 2')).toEqual([{ summary: 'three' }, { summary: 'two' }])
  expect(await list('subject: "a/1"')).toEqual([{ summary: 'three' }, { summary: 'one' }])
  expect(await list('actionType: "decision"')).toEqual([{ summary: 'two' }, { summary: 'one' }])
  expect(await list('subject: "a\\u0000"')).toEqual([])
})

test('nobody writes a denial by hand, and all mistakes are told at once', async () => {
  const { code, extensions } = await append(admin, {
    ...entry,
    actionType: 'denial',
    details: [],
    significance: 'huge',
  })
  expect(code).toBe('BAD_INPUT')
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map((problem) => problem.path)).toEqual([
    'input.actionType',
    'input.details',
    'input.significance',
  ])
})

test('not even the database lets the api change or delete an entry', async () => {
  await append(admin, entry)
  for (const statement of [`update audit_entry set summary = 'x'`, 'delete from audit_entry']) {
    await expect(world.database.inTenant(admin, (tx) => tx.sql(statement))).rejects.toThrow(
      /permission denied/,
    )
  }
})

test.each(['viewer', 'approver'] as const)('a %s may not append', async (role) => {
  expect((await append(colleague(admin, role), entry)).code).toBe('FORBIDDEN')
})
