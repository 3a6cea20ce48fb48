import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publishArticles } from './publish-articles.ts'

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('operator')
})
afterAll(() => world[Symbol.asyncDispose]())

const article = (externalId: string, body = 'Money comes back in 3 days.') => ({
  externalId,
  title: `About ${externalId}`,
  body,
  tags: ['money', 'money'],
})
const published = async () =>
  (
    await world.database.readTenant<{ n: bigint }>(
      actor,
      "select count(*) n from log.event where type = 'knowledge.published'",
    )
  )[0]?.n

test('only what is new or changed is written and told', async () => {
  const first = await publishArticles(world, actor, { articles: [article('b'), article('a')] })
  expect(first.changed).toBe(2)
  expect(first.articles.map(({ externalId }) => externalId)).toEqual(['b', 'a'])
  expect(first.articles[0]).toMatchObject({ language: 'en', tags: ['money'] })

  const again = await publishArticles(world, actor, {
    articles: [article('a'), article('b', 'In 4 days.'), article('c')],
  })
  expect(again.changed).toBe(2)
  expect(again.articles[0]).toEqual(first.articles[1])
  expect(again.articles[1]).toMatchObject({ id: first.articles[0]?.id, body: 'In 4 days.' })
  expect(await published()).toBe(4n)
})

test('500 articles published twice at once are published once', async () => {
  const before = await published()
  const articles = Array.from({ length: 500 }, (_, index) => article(`many-${index}`))
  const both = await Promise.all([
    publishArticles(world, actor, { articles }),
    publishArticles(world, actor, { articles: articles.toReversed() }),
  ])
  expect(both[0].changed + both[1].changed).toBe(500)
  expect(await published()).toBe((before ?? 0n) + 500n)
})

test('every mistake is said at once, and nothing is published', async () => {
  const before = await published()
  const wrong = publishArticles(world, actor, {
    articles: [
      article('x'),
      { ...article('y', 'a\0b'), language: 'english' },
      { ...article('z'), title: '' },
    ],
  })
  await expect(wrong).rejects.toMatchObject({
    code: 'BAD_INPUT',
    problems: [
      { path: 'input.articles.1.body' },
      { path: 'input.articles.1.language' },
      { path: 'input.articles.2.title' },
    ],
  })
  await expect(
    publishArticles(world, actor, { articles: [article('x'), article('x')] }),
  ).rejects.toMatchObject({
    problems: [{ path: 'input.articles.1.externalId' }],
  })
  await expect(
    publishArticles(world, actor, { articles: [article('x', 'ü'.repeat(131_073))] }),
  ).rejects.toMatchObject({
    problems: [{ path: 'input.articles.0.body' }],
  })
  expect(await published()).toBe(before)
})

test('two tenants may use the same external id', async () => {
  const stranger = await world.organization('operator')
  const [theirs] = (await publishArticles(world, stranger, { articles: [article('a')] })).articles
  const [ours] = (await publishArticles(world, actor, { articles: [article('a')] })).articles
  expect(theirs?.id).not.toBe(ours?.id)
})
