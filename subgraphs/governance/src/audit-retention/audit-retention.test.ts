import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
  admin = await world.organization()
})
afterAll(() => world[Symbol.asyncDispose]())

const DAYS = 'standardDays significantDays complianceDays'
const set = (days: string, as: Actor = admin) =>
  world.ask(as, `mutation { setAuditRetention(input: { ${days} }) { retention { ${DAYS} } } }`)

test('entries are kept as long as everywhere, or longer, and never shorter', async () => {
  const read = async () => (await world.ask(admin, `{ auditRetention { ${DAYS} } }`)).data['auditRetention']
  expect(await read()).toEqual({ standardDays: 90, significantDays: 365, complianceDays: 2557 })
  const short = await set('standardDays: 89, significantDays: 1, complianceDays: 2557')
  expect(short.code).toBe('BAD_INPUT')
  expect(short.extensions['problems']).toHaveLength(2)
  const longer = 'standardDays: 120, significantDays: 400, complianceDays: 3000'
  expect((await set(longer, colleague(admin, 'operator'))).code).toBe('FORBIDDEN')
  await set(longer)
  expect(await read()).toEqual({ standardDays: 120, significantDays: 400, complianceDays: 3000 })
  expect(await world.events(admin, 'audit.retention_set')).toHaveLength(1)
})

test('a hold is put and released on record, once', async () => {
  const put = await world.ask(
    admin,
    'mutation { setLegalHold(input: { reason: "a suit", filter: { actor: "ann" } }) { hold { id filter releasedAt } } }',
  )
  const { hold } = z.object({ hold: z.object({ id: z.string() }) }).parse(put.data['setLegalHold'])
  expect(put.data['setLegalHold']?.['hold']).toMatchObject({ filter: { actor: 'ann' }, releasedAt: null })
  const release = (id: string, as: Actor = admin) =>
    world.ask(
      as,
      `mutation { releaseLegalHold(input: { id: "${id}", reason: "settled" }) { hold { releasedAt releaseReason } } }`,
    )
  expect((await release(hold.id, await world.organization())).code).toBe('NOT_FOUND')
  const first = await release(hold.id)
  expect(first.data['releaseLegalHold']?.['hold']).toMatchObject({ releaseReason: 'settled' })
  expect((await release(hold.id)).data).toEqual(first.data)
  expect(await world.events(admin, 'legal_hold.set')).toHaveLength(1)
  expect(await world.events(admin, 'legal_hold.released')).toHaveLength(1)
  const { data } = await world.ask(
    admin,
    '{ legalHolds { nodes { id reason placedBy { id } releasedBy { id } } } }',
  )
  expect(data['legalHolds']?.['nodes']).toEqual([
    { id: hold.id, reason: 'a suit', placedBy: { id: admin.id }, releasedBy: { id: admin.id } },
  ])
})
