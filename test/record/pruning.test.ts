import { exportAudit, pruneAudit, setLegalHold, workExport } from '@tutti/governance/domain'
import { createPublicKey } from 'node:crypto'
import { verifyRecord } from 'tutti-verify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRecordWorld, type RecordWorld, verify } from './record-world.ts'

let world: RecordWorld

beforeEach(async () => {
  world = await openRecordWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

/** What was written so far is as old as that. Their digests do not fit any more, so it is for what is pruned. */
async function age(days: number, where = 'true'): Promise<void> {
  await world.asOwner(
    `update audit_entry set timestamp = timestamp - make_interval(days => ${days}) where ${where}`,
  )
  await world.asOwner(`update log.event set time = time - make_interval(days => ${days})`)
}
const prune = async () => {
  let all = 0
  for (let some = await pruneAudit(world); some > 0; some = await pruneAudit(world)) all += some
  return all
}
const entries = async (where = 'true') =>
  (await world.asOwner<{ n: number }>(`select count(*)::int as n from audit_entry where ${where}`))[0]?.n

test('entries go after their time, by class, and the chain verifies without them: their hashes stay, and an event says so', async () => {
  await world.write(30)
  const standard = await entries(`significance = 'standard'`)
  const others = await entries(`significance <> 'standard'`)
  expect(standard).toBeGreaterThan(2)
  expect(others).toBeGreaterThan(2)
  await age(89, `significance = 'standard'`)
  expect(await prune()).toBe(0)
  await age(2, `significance = 'standard'`)
  await world.seal()
  expect(await prune()).toBe(standard)
  expect(await entries()).toBe(others)
  await world.seal()
  const report = await verify(await world.export(), world.outside, await world.publicKey())
  expect(report).toMatchObject({ entries: 31, pruned: standard, faults: [] })

  // What nobody says was pruned, or what is too young for it, is missing still.
  const gone = await world.asOwner<{ id: string; n: string }>(
    `delete from audit_entry where id = (select id from audit_entry order by id limit 1)
     returning id, (select s.sequence from log.event e join audit_seal s on s.event_seq = e.seq
       where e.subject = 'audit/' || audit_entry.id)::text as n`,
  )
  const found = await verify(await world.export(), world.outside, await world.publicKey())
  expect(found.faults).toMatchObject([{ kind: 'entry_missing', sequence: Number(gone[0]?.n) }])
})

test('a part of the record whose entries were pruned after it verifies by what follows it, signed', async () => {
  await world.write(16)
  await age(100)
  await world.seal()
  const until = new Date(Date.now() - 50 * 86_400_000)
  await world.write(4)
  const pruned = await prune()
  await world.seal()
  const { id, lastSequence } = await exportAudit(world, world.actor, { format: 'JSONL', until })
  expect(lastSequence).toBe(16n)
  const running = { organizationId: world.actor.organizationId, id }
  while (await workExport(world, running, { entries: 5 }));
  const parts = await world.asOwner<{ content: string }>(
    'select content from audit_export_part order by number',
  )
  const lines = parts
    .map(({ content }) => content)
    .join('')
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(17)
  const check = async (given: readonly string[]) =>
    verifyRecord(
      (async function* () {
        yield given
      })(),
      { checkpoints: world.outside, key: createPublicKey(await world.publicKey()), to: 16 },
    )
  expect(await check(lines)).toMatchObject({ entries: 16, pruned })
  const standing = (await check(lines)).faults
  // Entries that were not due were aged by this test as well; nothing else is wrong.
  expect(standing.filter(({ kind }) => kind !== 'entry_altered')).toEqual([])
  expect(
    (await check(lines.slice(0, -1))).faults.filter(({ kind }) => kind === 'entry_missing'),
  ).toHaveLength(pruned)
  const forged = lines.with(
    -1,
    lines.at(-1)?.replace('"significance":"standard"', '"significance":"x"') ?? '',
  )
  expect((await check(forged)).faults.map(({ kind }) => kind)).toContain('altered')
})

test('a legal hold wins, and so does a longer time; not even who prunes can take away what is held or too young', async () => {
  await world.write(12)
  const standard = await entries(`significance = 'standard'`)
  const { id } = await setLegalHold(world, world.actor, {
    reason: 'a suit',
    filter: { domain: 'customer-service' },
  })
  await age(100, `significance = 'standard'`)
  expect(await prune()).toBe(0)
  const statement = `delete from audit_entry where significance = 'standard'`
  expect((await world.database.pool('retention').query(statement)).rowCount).toBe(0)
  await world.asOwner(`update legal_hold set released_at = now() where id = $1`, [id])
  // One on somebody holds what is about them, and that alone.
  const { id: onAda } = await setLegalHold(world, world.actor, {
    reason: 'a suit',
    filter: { subject: `person/${world.actor.id}` },
  })
  expect(await prune()).toBe(0)
  expect((await world.database.pool('retention').query(statement)).rowCount).toBe(0)
  await world.asOwner(`update legal_hold set filter = '{"subject": "customer/4711"}' where id = $1`, [onAda])
  await world.asOwner(
    `insert into audit_retention (organization_id, standard_days, significant_days, compliance_days, updated_by)
     values ($1, 120, 365, 2557, '{}')`,
    [world.actor.organizationId],
  )
  expect(await prune()).toBe(0)
  await world.asOwner('update audit_retention set standard_days = 90')
  expect(await prune()).toBe(standard)
  await expect(
    world.database.pool('retention').query('update audit_entry set summary = summary'),
  ).rejects.toThrow('permission denied')
})
