import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { STORED_ENTRY_COLUMNS, type StoredEntry } from './audit-entry-row.ts'
import { entryDigest } from './entry-digest.ts'
import { openEntries } from './open-entries.ts'
import { recordDenial } from './record-denial.ts'
import { askAsDirectory } from '../testing/ask-as-directory.ts'
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
const page = z.object({
  nodes: z.array(z.object({ summary: z.string() })),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
})
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

test('the trail is searched by who, what, where, when, which task and by words, page by page', async () => {
  const start = new Date()
  const people = [
    admin,
    { ...colleague(admin, 'agent'), onBehalfOf: { id: 'user:ann', kind: 'person' as const } },
  ]
  for (const [n, summary] of [
    'Refunded the blue teapot',
    'Kept the BLUE kettle',
    'Refunded a kettle',
  ].entries())
    await append(people[n % 2] ?? admin, {
      ...entry,
      summary,
      domain: n === 0 ? 'finance' : 'service',
      relatedTasks: [`Task '${n}' \\ x`],
      significance: n === 2 ? 'compliance' : 'standard',
      classification: n === 1 ? 'public' : 'internal',
      details: { reasoning: `Customer was furious ${n}` },
    })
  const found = async (filter: string) => {
    const summaries: unknown[] = []
    for (let after = ''; ;) {
      const { data } = await world.ask(
        admin,
        `{ auditEntries(first: 1, ${after}, ${filter}) { nodes { summary } pageInfo { hasNextPage endCursor } } }`,
      )
      const { nodes, pageInfo } = page.parse(data['auditEntries'])
      summaries.push(...nodes.map(({ summary }) => summary.split(' ').slice(-1)[0]))
      if (!pageInfo.hasNextPage) return summaries
      after = `after: "${pageInfo.endCursor}"`
    }
  }
  expect(await found('text: "blue"')).toEqual(['kettle', 'teapot'])
  expect(await found('text: "refunded -teapot"')).toEqual(['kettle'])
  expect(await found('text: "furious", domain: "finance"')).toEqual(['teapot'])
  expect(await found('text: "\\u0000 ((:*", domain: "finance"')).toEqual([])
  expect(await found(`task: "Task '1' \\\\ x"`)).toEqual(['kettle'])
  expect(await found(`task: "Task '1'", text: "kettle"`)).toEqual([])
  expect(await found('task: ""')).toEqual([])
  expect(await found('actor: "agent-of-tests"')).toEqual(['kettle'])
  expect(await found('actor: "user:ann", text: "blue"')).toEqual(['kettle'])
  expect(await found('significance: "compliance"')).toEqual(['kettle'])
  expect(await found('classification: "public"')).toEqual(['kettle'])
  expect(await found(`from: "${start.toISOString()}", domain: "service"`)).toEqual(['kettle', 'kettle'])
  expect(await found(`until: "${start.toISOString()}", text: "kettle"`)).toEqual([])
  const longest = `"${'😀a b '.repeat(166)}"`
  expect(await found(`text: ${longest}`)).toEqual([])
  expect(await found(`task: "${'😀'.repeat(100)}"`)).toEqual([])
  // What words cost grows with their square, and nothing ends it once PostgreSQL reads them.
  const tooLong = await world.ask(
    admin,
    `{ auditEntries(text: "${'a b '.repeat(251)}", task: "${'t'.repeat(201)}") { nodes { id } } }`,
  )
  expect(tooLong).toMatchObject({
    code: 'BAD_INPUT',
    extensions: { argument: 'task', problems: [{ path: 'task' }, { path: 'text' }] },
  })
  const stranger = await world.organization()
  const { data } = await world.ask(stranger, '{ auditEntries(text: "kettle") { nodes { id } } }')
  expect(data['auditEntries']?.['nodes']).toEqual([])
})

test('what is sensitive is shown to those alone who may see it', async () => {
  await append(admin, { ...entry, classification: 'sensitive' })
  await append(admin, entry)
  const seen = async (as: Actor) =>
    (await world.ask(as, '{ auditEntries(text: "refunded") { nodes { classification } } }')).data[
      'auditEntries'
    ]
  expect(await seen(colleague(admin, 'operator'))).toEqual({ nodes: [{ classification: 'internal' }] })
  expect(await seen(admin)).toEqual({
    nodes: [{ classification: 'internal' }, { classification: 'sensitive' }],
  })
})

test('an entry is an event of the log, which commits to every column of it', async () => {
  const { data } = await append({ ...admin, onBehalfOf: { id: 'user:ann', kind: 'person' } }, entry)
  const { id } = z.object({ id: z.string() }).parse(data['appendAuditEntry']?.['entry'])
  const recorded = await world.events(admin, 'audit.recorded')
  expect(recorded.map((event) => event.data)).toEqual([
    { entryId: id, actionType: 'decision', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ])
  const digest = async (): Promise<string> => {
    const rows = await world.asOwner<StoredEntry>(
      `select ${STORED_ENTRY_COLUMNS} from audit_entry where id = $1`,
      [id],
    )
    const [row] = await openEntries(world.database, admin, rows)
    if (!row) throw new Error('It is gone.')
    return row.salt === null ? row.summary : entryDigest({ ...row, salt: row.salt })
  }
  expect(await digest()).toBe(recorded[0]?.data['digest'])
  const columns = await world.asOwner<{ name: string; type: string }>(
    `select column_name as name, data_type as type from information_schema.columns
     where table_name = 'audit_entry'
       and column_name not in ('organization_id', 'id', 'text_commitment', 'words')`,
  )
  expect(columns.length).toBeGreaterThan(15)
  for (const { name, type } of columns) {
    const other =
      name === 'key_ids'
        ? 'array[uuidv7()]'
        : type === 'jsonb'
          ? `'{"other": 1}'`
          : type === 'ARRAY'
            ? `'{other}'`
            : `'other'`
    const changed = type.startsWith('timestamp')
      ? `${name} + interval '1 ms'`
      : type === 'uuid'
        ? 'uuidv7()'
        : other
    await world.asOwner(`create temporary table kept as select * from audit_entry where id = '${id}'`)
    await world.asOwner(`update audit_entry set ${name} = ${changed} where id = '${id}'`)
    expect(await digest(), name).not.toBe(recorded[0]?.data['digest'])
    await world.asOwner(`update audit_entry a set ${name} = kept.${name} from kept where a.id = kept.id`)
    await world.asOwner('drop table kept')
  }
  expect(await digest()).toBe(recorded[0]?.data['digest'])
})

test('a denial that cannot be recorded fails; so does a failure of an operation, which else leaves an entry', async () => {
  const denial = { action: 'Mutation.startRun', reason: 'needs runs:write' }
  await recordDenial(world, admin, denial)
  expect((await world.events(admin, 'audit.recorded')).length).toBe(1)

  const makeKey = () =>
    world.ask(
      admin,
      'mutation { createApiKey(input: { principalName: "ann", roles: ["admin"] }) { secret } }',
    )
  await world.asOwner('revoke insert on api_key from tutti_api')
  try {
    expect((await makeKey()).code).toBe('INTERNAL')
    expect(await list('first: 1')).toEqual([{ summary: `createApiKey by ${admin.name} failed.` }])
    await world.asOwner('revoke insert on log.event from tutti_api')
    await expect(recordDenial(world, admin, denial)).rejects.toThrow('permission denied')
    expect((await makeKey()).code).toBe('INTERNAL')
    expect(await list('first: 10')).toHaveLength(2)
  } finally {
    await world.asOwner('grant insert on api_key, log.event to tutti_api')
  }
  expect((await makeKey()).code).toBeNull()
})

test('whatever an operation refuses somebody is on record, once, or nothing of it is told', async () => {
  const approver = colleague(admin, 'approver')
  const { data } = await world.ask(
    admin,
    'mutation { setNotificationChannel(input: { ownerKind: ORGANIZATION, kind: EMAIL, address: "all@example.com" }) { channel { id } } }',
  )
  const { id } = Object(data['setNotificationChannel']).channel
  const refused = async (actor: Actor, mutation: string, code = 'FORBIDDEN') =>
    expect((await world.ask(actor, `mutation { ${mutation} }`)).code).toBe(code)
  const exporter: Actor = { ...colleague(admin, 'viewer'), scopes: ['audit:export', 'audit:read'] }
  await refused(exporter, 'exportAudit(input: { format: JSONL }) { export { id } }')
  const others = 'ownerKind: GROUP, owner: "board", kind: EMAIL, address: "a@example.com"'
  await refused(approver, `setNotificationChannel(input: { ${others} }) { channel { id } }`)
  await refused(approver, `removeNotificationChannel(input: { id: "${id}" }) { id }`)
  const manager: Actor = { ...colleague(admin, 'viewer'), scopes: ['access:manage'] }
  await refused(
    manager,
    'setRole(input: { name: "x", description: "d", scopes: ["runs:start"] }) { role { name } }',
  )
  await refused(
    { ...admin, kind: 'integration' },
    `delegateApprovals(input: { to: "ann", until: "${new Date(Date.now() + 60_000).toISOString()}" }) { delegation { id } }`,
    'SEPARATION_OF_DUTIES',
  )
  const directory: Actor = {
    ...colleague(admin, 'admin'),
    scopes: ['access:provision'],
    ending: [{ until: Date.now() + 60_000, scopes: ['access:provision'] }],
  }
  const provision = () => askAsDirectory(world, directory, 'POST', 'Users', { userName: 'ann@example.com' })
  expect((await provision()).status).toBe(403)
  expect(await world.denials(admin)).toEqual([
    'operation/Mutation.exportAudit',
    'operation/Mutation.setNotificationChannel',
    'operation/Mutation.removeNotificationChannel',
    'operation/Mutation.setRole',
    'operation/Mutation.delegateApprovals',
    'operation/SCIM POST',
  ])
  await world.asOwner('revoke insert on log.event from tutti_api')
  try {
    await refused(exporter, 'exportAudit(input: { format: JSONL }) { export { id } }', 'INTERNAL')
    await expect(provision()).rejects.toThrow('permission denied')
  } finally {
    await world.asOwner('grant insert on log.event to tutti_api')
  }
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
