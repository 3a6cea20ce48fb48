import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assessQuality } from './assess-quality.ts'

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('agent')
})
afterAll(() => world[Symbol.asyncDispose]())

const source = {
  id: 'refunds',
  title: 'Refunds',
  body: 'Refunds to PayPal take up to 24 hours after we issued them.',
}
const good = {
  question: 'How long does a refund to PayPal take?',
  text: 'Hello, refunds to PayPal take up to 24 hours after we issued them. Kind regards, your team',
  sources: [source],
  answerConfidence: 0.95,
}
const events = () =>
  world.database.readTenant(actor, "select data from log.event where type = 'quality.assessed' order by seq")

test('an output is assessed once a key, and told once', async () => {
  const all = await Promise.all(
    [1, 2, 3].map(() => assessQuality(world, actor, { requestKey: 'a', ...good })),
  )
  expect(new Set(all.map(({ id }) => id)).size).toBe(1)
  expect(all[0]).toMatchObject({ scorer: 'rules', criteriaVersion: 0, belowMinimum: false })
  expect(all[0]?.dimensions).toHaveLength(5)
  expect(await events()).toHaveLength(1)
})

test('an empty reply is below the minimum and says what to do', async () => {
  const empty = await assessQuality(world, actor, { ...good, requestKey: 'empty', text: '' })
  expect(empty).toMatchObject({ confidence: 0, belowMinimum: true })
  expect(empty.recommendations).not.toEqual([])
})

test("the organization's newest criteria count, and their version is kept", async () => {
  const own = await world.organization('admin')
  for (const [version, bannedPhrases] of [
    [1, []],
    [2, ['Kind regards']],
  ] as const) {
    await world.database.inTenant(own, (tx) =>
      tx.db.qualityCriteria.create({
        data: {
          organizationId: own.organizationId,
          name: 'default',
          version,
          minimumScore: 0.99,
          criteria: { bannedPhrases: [...bannedPhrases] },
        },
      }),
    )
  }
  const assessed = await assessQuality(world, own, { requestKey: 'a', ...good })
  expect(assessed).toMatchObject({ criteriaVersion: 2, belowMinimum: true })
  expect(assessed.flags).toContain('banned_phrase')
  expect((await assessQuality(world, actor, { requestKey: 'b', ...good })).criteriaVersion).toBe(0)
})

test('a model lowers the verdict and is named', async () => {
  const judgement = {
    confidence: 0.2,
    dimensions: [{ name: 'factual_accuracy', score: 0.1, reasons: ['invented'] }],
  }
  const judged = await assessQuality(world, actor, {
    ...good,
    requestKey: 'judged',
    judgement,
    scorer: 'gpt-4-turbo',
  })
  expect(judged).toMatchObject({ scorer: 'gpt-4-turbo', confidence: 0.2 })
})

test('characters that PostgreSQL cannot keep do not hinder a verdict', async () => {
  const odd = await assessQuality(world, actor, {
    requestKey: 'odd',
    text: 'a\0b \ud800 https://x\0.example 4111 1111 1111 1111',
  })
  expect(odd.id).toBeTruthy()
})
