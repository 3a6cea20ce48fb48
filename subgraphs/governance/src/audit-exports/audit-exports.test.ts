import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { appendAuditEntry } from '../audit/append-audit-entry.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { deleteOldExportParts, findExports, workExport } from './work-export.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const append = (summary: string, more: object = {}) =>
  appendAuditEntry(world, admin, {
    actionType: 'decision',
    domain: 'service',
    summary,
    details: { amount: 1 },
    subject: 'ticket/1',
    ...more,
  })
const exported = z.object({ export: z.object({ id: z.string(), total: z.number() }) })
async function ask(
  input: string,
  as: Actor = admin,
): Promise<{ id: string; code: string | null; total: number }> {
  const { data, code } = await world.ask(
    as,
    `mutation { exportAudit(input: { ${input} }) { export { id total } } }`,
  )
  const answer = exported.safeParse(data['exportAudit'])
  return { id: '', total: 0, ...answer.data?.export, code }
}
/** Works it to its end, and reads its file. */
async function file(id: string, entries = 2): Promise<{ content: string; parts: number }> {
  for (;;) {
    const mine = (await findExports(world.database)).find((each) => each.id === id)
    if (!mine || !(await workExport(world, mine, { entries }))) break
  }
  const { data } = await world.ask(admin, `{ auditExport(id: "${id}") { status parts done total } }`)
  expect(data['auditExport']).toMatchObject({ status: 'COMPLETED', done: data['auditExport']?.['total'] })
  const parts = Number(data['auditExport']?.['parts'])
  let content = ''
  for (let part = 1; part <= parts; part += 1) content += await partOf(id, part)
  return { content, parts }
}
const partOf = async (id: string, part: number, as: Actor = admin) =>
  (await world.ask(as, `{ auditExport(id: "${id}") { content(part: ${part}) } }`)).data['auditExport']?.[
    'content'
  ]

test('entries that fit are in the file, part by part, as JSON or as CSV that no spreadsheet computes', async () => {
  for (const summary of ['one', '=HYPERLINK("x")', 'three,\n"quoted"', 'four', '＝five;=1+1;"@x\t＝2'])
    await append(summary)
  await append('elsewhere', { domain: 'finance' })
  await append('secret', { classification: 'sensitive' })
  const csv = await ask('format: CSV, filters: { domain: "service" }')
  expect(csv.total).toBe(7)
  const { content, parts } = await file(csv.id)
  expect(parts).toBe(4)
  const [header, first] = content.split('\r\n')
  expect(header).toMatch(/^id,timestamp,actorId,/)
  expect(first).toMatch(new RegExp(`,"${admin.id}","\\w+",,,"decision","service","one",`))
  expect(content).toContain(`,"'=HYPERLINK(""x"")","{""amount"":1}",`)
  expect(content).toContain('"three,\n""quoted"""')
  // Where a comma parts no cells, `;` and tabs do, and quotes in a line are characters as others.
  expect(content).toContain(`"'＝five;'=1+1;""'@x\t'＝2"`)
  expect(content).not.toContain('elsewhere')
  expect(content).toContain('secret')
  const words = await ask('format: JSONL, filters: { text: "four" }')
  const lines = (await file(words.id)).content.trimEnd().split('\n')
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { summary: 'four', domain: 'service' },
  ])
})

test('an export is on record: who, and what; a worker that dies leaves no gap and no line twice', async () => {
  for (const summary of ['a', 'b', 'c', 'd', 'e']) await append(summary)
  const { id } = await ask('format: JSONL, filters: { domain: "service" }')
  expect((await world.events(admin, 'audit.exported')).map(({ data }) => data)).toEqual([
    {
      exportId: id,
      format: 'jsonl',
      verifiable: false,
      from: null,
      until: null,
      filters: { domain: 'service' },
    },
  ])
  const { data } = await world.ask(
    admin,
    '{ auditEntries(first: 1) { nodes { subject significance actorId } } }',
  )
  expect(data['auditEntries']?.['nodes']).toEqual([
    { subject: `audit_export/${id}`, significance: 'compliance', actorId: admin.id },
  ])
  const running = { organizationId: admin.organizationId, id }
  // One dies after its part was written and before that was noted: the part is gone with it.
  await world.asOwner('alter table audit_export add constraint dies check (parts < 2) not valid')
  expect(await workExport(world, running, { entries: 2 })).toBe(true)
  await expect(workExport(world, running, { entries: 2 })).rejects.toThrow('dies')
  await world.asOwner('alter table audit_export drop constraint dies')
  await Promise.all([workExport(world, running, { entries: 2 }), workExport(world, running, { entries: 2 })])
  const { content } = await file(id)
  const summaries = content
    .trimEnd()
    .split('\n')
    .map((line): { summary: string } => JSON.parse(line))
  expect(summaries.map(({ summary }) => summary)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect((await world.events(admin, 'audit.export_completed')).map((event) => event.data)).toEqual([
    { exportId: id, written: 5 },
  ])
})

test('who may not see what is sensitive gets neither it nor the whole record; nobody another organization’s', async () => {
  await append('open')
  await append('secret', { classification: 'sensitive' })
  const clerk: Actor = { ...colleague(admin, 'viewer'), scopes: ['audit:read', 'audit:export'] }
  expect((await ask('format: JSONL', clerk)).code).toBe('FORBIDDEN')
  expect((await ask('format: CSV', colleague(admin, 'operator'))).code).toBe('FORBIDDEN')
  const { id } = await ask('format: CSV', clerk)
  const { content } = await file(id)
  expect(content).toContain('open')
  expect(content).not.toContain('secret')
  const all = await ask('format: CSV')
  await file(all.id)
  expect(await partOf(all.id, 1, clerk)).toBeNull()
  expect(await partOf(all.id, 1, await world.organization())).toBeUndefined()
})

test('an export that is cancelled goes no further, gives out nothing, and is on record once', async () => {
  for (const summary of ['a', 'b', 'c', 'd', 'e']) await append(summary)
  const { id } = await ask('format: JSONL, filters: { domain: "service" }')
  const running = { organizationId: admin.organizationId, id }
  await workExport(world, running, { entries: 2 })
  expect(await partOf(id, 1)).toContain('"a"')
  const cancel = (of: string, as: Actor = admin) =>
    world.ask(
      as,
      `mutation { cancelAuditExport(input: { id: "${of}" }) { export { status parts endedAt expiresAt } } }`,
    )
  expect((await cancel(id, await world.organization())).code).toBe('NOT_FOUND')
  const first = await cancel(id)
  expect(first.data['cancelAuditExport']?.['export']).toMatchObject({ status: 'CANCELLED', parts: 1 })
  expect(await cancel(id)).toEqual(first)
  expect(await workExport(world, running, { entries: 2 })).toBe(false)
  expect(await partOf(id, 1)).toBeNull()
  while ((await deleteOldExportParts(world)) > 0);
  expect(await world.asOwner('select 1 from audit_export_part where export_id = $1', [id])).toEqual([])
  expect((await world.events(admin, 'audit.export_cancelled')).map(({ data }) => data)).toEqual([
    { exportId: id, written: 2 },
  ])
  const { data } = await world.ask(
    admin,
    `{ auditEntries(first: 9, subject: "audit_export/${id}") { nodes { outcome } } }`,
  )
  expect(data['auditEntries']?.['nodes']).toEqual([{ outcome: 'cancelled' }, { outcome: 'requested' }])
  const whole = await ask('format: CSV')
  await file(whole.id)
  expect((await cancel(whole.id)).code).toBe('INVALID_STATE')
})

test('what is asked for wrongly is told, and parts are taken away a week after the end', async () => {
  await append('x')
  expect(await ask('format: CSV, from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z"')).toMatchObject(
    {
      code: 'BAD_INPUT',
    },
  )
  const { id } = await ask('format: CSV')
  await file(id)
  await deleteOldExportParts(world)
  expect(await partOf(id, 1)).toContain('x')
  await world.asOwner(`update audit_export set ended_at = ended_at - interval '8 days' where id = $1`, [id])
  while ((await deleteOldExportParts(world)) > 0);
  expect(await partOf(id, 1)).toBeNull()
})
