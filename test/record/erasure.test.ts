import { appendAuditEntry, eraseSubject } from '@tutti/governance/domain'
import type { Actor } from '@tutti/schema'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRecordWorld, type RecordWorld, verify } from './record-world.ts'

let world: RecordWorld

beforeAll(async () => {
  world = await openRecordWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const PEOPLE = ['ann', 'ben', 'cy']
const CUSTOMERS = ['customer/1', 'customer/2']

/** Somebody says something, perhaps about a customer and perhaps for another one; or somebody is forgotten. */
const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      by: fc.constantFrom(...PEOPLE, 'agent'),
      onBehalfOf: fc.option(fc.constantFrom(...PEOPLE), { nil: undefined }),
      dataSubject: fc.option(fc.constantFrom(...CUSTOMERS), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      forget: fc.constantFrom(...PEOPLE.map((id) => `person/${id}`), ...CUSTOMERS),
    }),
  },
)

const actorOf = (admin: Actor, by: string, onBehalfOf: string | undefined): Actor => ({
  ...admin,
  id: by,
  kind: by === 'agent' ? 'agent' : 'person',
  name: by,
  ...(onBehalfOf === undefined ? {} : { onBehalfOf: { id: onBehalfOf, kind: 'person' } }),
})

/** Everything that is stored, as text. */
async function everything(): Promise<string> {
  const tables = await world.asOwner<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`,
  )
  const union = tables.map(({ name }) => `select string_agg(t::text, ' ') as text from ${name} t`)
  const rows = await world.asOwner<{ text: string | null }>(union.join(' union all '))
  return rows.map(({ text }) => text ?? '').join(' ')
}

test('whoever is forgotten, in whatever order: their text is nowhere, everybody else’s is there, and the record verifies', async () => {
  let said = 0
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 12 }), async (acts) => {
      const admin = { ...(await world.organization()), id: 'boss' }
      const texts = new Map<string, { marker: string; about: string[]; gone: boolean }>()
      for (const each of acts) {
        if ('forget' in each) {
          const known = [...texts.values()].some(({ about, gone }) => !gone && about.includes(each.forget))
          const forgetting = eraseSubject(world, admin, { subject: each.forget, reason: 'they asked' })
          const erased = await forgetting.catch((error: unknown) => error)
          if (known) expect(erased).toMatchObject({ subject: each.forget })
          for (const text of texts.values()) if (text.about.includes(each.forget)) text.gone = true
          continue
        }
        said += 1
        const marker = `marker${said}x`
        const { id } = await appendAuditEntry(world, actorOf(admin, each.by, each.onBehalfOf), {
          actionType: 'decision',
          domain: 'd',
          summary: `They said ${marker}`,
          details: { words: [marker], outcome: `and so ${marker}` },
          subject: 'x/1',
          ...(each.dataSubject === undefined ? {} : { dataSubject: each.dataSubject }),
        })
        const people = [each.by, each.onBehalfOf].filter((one) => one !== undefined && one !== 'agent')
        const about = [
          ...people.map((one) => `person/${one}`),
          ...(each.dataSubject === undefined ? [] : [each.dataSubject]),
        ]
        texts.set(id, { marker, about, gone: false })
      }
      await world.seal()
      const lines = await world.export(admin)
      const mine = world.outside.filter((line) => line.includes(admin.organizationId))
      expect(await verify(lines, mine, await world.publicKey())).toMatchObject({
        faults: [],
        erased: [...texts.values()].filter(({ gone }) => gone).length,
      })
      const stored = await everything()
      for (const { marker, about, gone } of texts.values()) {
        // What is about somebody is in the clear nowhere but among the words that search finds it by.
        expect(stored.includes(marker), marker).toBe(!gone)
        expect(lines.join(' ').includes(marker), marker).toBe(!gone)
        if (about.length > 0) expect(stored.includes(`They said ${marker}`)).toBe(false)
      }
    }),
    { numRuns: 8 },
  )
})

test('an entry without its text is missing where no event says that a key of it was destroyed', async () => {
  const admin = await world.organization()
  for (const id of ['dee', 'eve'])
    await appendAuditEntry(world, actorOf(admin, id, undefined), {
      actionType: 'decision',
      domain: 'd',
      summary: 'said',
      details: {},
      subject: 'x/1',
    })
  await eraseSubject(world, { ...admin, id: 'boss' }, { subject: 'person/dee', reason: 'they asked' })
  await world.seal()
  const mine = world.outside.filter((line) => line.includes(admin.organizationId))
  const check = async (lines: readonly string[]) => verify(lines, mine, await world.publicKey())
  const lines = await world.export(admin)
  expect(await check(lines)).toMatchObject({ faults: [], erased: 1 })
  await world.asOwner(`update subject_key set wrapped = null where subject = 'person/eve'`)
  const sequence = lines.findIndex((line) => line.includes('"actorId":"eve"')) + 1
  expect(await check(await world.export(admin))).toMatchObject({
    faults: [{ kind: 'entry_missing', sequence }],
    erased: 1,
  })
  const forged = lines.map((line) => line.replace('"actorId":"dee"', '"actorId":"eve"'))
  expect((await check(forged)).faults).toMatchObject([{ kind: 'entry_altered' }])
})
