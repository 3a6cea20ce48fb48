import { appendAuditEntry, eraseSubject, exportAudit, workExport } from '@tutti/governance/domain'
import { createPublicKey } from 'node:crypto'
import { verifyRecord } from 'tutti-verify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRecordWorld, type RecordWorld } from './record-world.ts'

let world: RecordWorld

beforeAll(async () => {
  world = await openRecordWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** The file of an export that is asked for and worked off, and how it verifies. */
async function verified(input: { from?: Date; until?: Date }) {
  const { actor, database } = world
  const { id, firstSequence, lastSequence } = await exportAudit(world, actor, { format: 'JSONL', ...input })
  while (await workExport({ database }, { organizationId: actor.organizationId, id }, { entries: 7 }));
  const parts = await world.asOwner<{ content: string }>(
    'select content from audit_export_part where export_id = $1 order by number',
    [id],
  )
  const lines = parts
    .map(({ content }) => content)
    .join('')
    .trimEnd()
    .split('\n')
  const report = await verifyRecord(
    (async function* () {
      yield lines
    })(),
    {
      checkpoints: world.outside,
      key: createPublicKey(await world.publicKey()),
      from: Number(firstSequence),
      to: Number(lastSequence),
    },
  )
  return { parts: parts.length, lines, report }
}

test('an export of the whole record, and of a time, verifies offline', async () => {
  await world.write(40)
  await world.seal()
  const [moment] = await world.asOwner<{ now: Date }>('select clock_timestamp() as now')
  await world.write(30)
  await world.seal()
  // As if an hour had been between the two.
  await world.asOwner(`update audit_checkpoint set time = time - interval '1 hour' where last_sequence <= 40`)
  const whole = await verified({})
  expect(whole.report).toMatchObject({ entries: 70, faults: [], uncovered: 0 })
  expect(whole.parts).toBe(10)
  const later = await verified({ from: moment?.now ?? new Date(0) })
  // The exports before are on record too, and not sealed yet.
  expect(later.report).toMatchObject({ entries: 30, faults: [] })
  const earlier = await verified({ until: moment?.now ?? new Date(0) })
  expect(earlier.report).toMatchObject({ entries: 40, faults: [] })
})

test('an export that ends before somebody was forgotten says that they were, with the proof', async () => {
  const { actor } = world
  const about = async (dataSubject: string) =>
    appendAuditEntry(world, actor, {
      actionType: 'decision',
      domain: 'd',
      summary: 'Refunded',
      details: {},
      subject: 'order/1',
      dataSubject,
    })
  for (const dataSubject of ['customer/1', 'customer/1', 'customer/2', 'customer/3']) await about(dataSubject)
  await world.seal()
  const [moment] = await world.asOwner<{ now: Date }>('select clock_timestamp() as now')
  await about('customer/4')
  for (const subject of ['customer/1', 'customer/3', 'customer/4'])
    await eraseSubject(world, { ...actor, id: 'boss' }, { subject, reason: 'they asked' })
  await world.seal()
  const { lines, report } = await verified({ until: moment?.now ?? new Date(0) })
  expect(report).toMatchObject({ faults: [], erased: 3 })
  // Of customer 4 nothing is in it.
  const attestations = lines.filter((line) => line.includes('"attestation"'))
  expect(attestations).toHaveLength(2)
  expect((await verified({})).report).toMatchObject({ faults: [], erased: 4 })
})
