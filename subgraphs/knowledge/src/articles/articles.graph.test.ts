import { randomUUID } from 'node:crypto'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, testActor, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { knowledge } from '../index.ts'

let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let operator: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  subgraph = bindSubgraph(knowledge, { database: world.database, tail, log }, log)
  operator = await world.organization('operator')
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(query: string, variables: Record<string, unknown> = {}, actor = operator) {
  const { data, errors } = await subgraph.execute({ query, variables, actor })
  return {
    data: JSON.parse(JSON.stringify(data ?? null)),
    codes: errors?.map((error) => error.extensions['code']),
  }
}
const PUBLISH =
  'mutation ($articles: [ArticleInput!]!) { publishArticles(input: {articles: $articles}) { changed articles { id externalId } } }'
const articles = ['refunds', 'parcels', 'grinders'].map((externalId) => ({
  externalId,
  title: `All about ${externalId}`,
  body: `We know **everything** about ${externalId}.`,
}))

test('articles are published, listed in pages, found and read by id', async () => {
  const { changed, articles: published } = (await ask(PUBLISH, { articles })).data.publishArticles
  expect(changed).toBe(3)
  expect((await ask(PUBLISH, { articles })).data.publishArticles.changed).toBe(0)

  const list =
    'query ($after: String) { articles(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }'
  const first = (await ask(list)).data.articles
  const second = (await ask(list, { after: first.pageInfo.endCursor })).data.articles
  const listed = [...first.nodes, ...second.nodes].map(({ id }: { id: string }) => id)
  expect(listed.sort()).toEqual(published.map(({ id }: { id: string }) => id).sort())
  expect(second.pageInfo.hasNextPage).toBe(false)

  const search =
    '{ searchArticles(text: "is there a refund?", first: 1) { score excerpt article { externalId } } }'
  expect((await ask(search)).data.searchArticles).toEqual([
    {
      score: expect.any(Number),
      excerpt: 'We know everything about refunds.',
      article: { externalId: 'refunds' },
    },
  ])
  expect(
    (await ask('query ($id: ID!) { article(id: $id) { externalId } }', { id: published[0].id })).data.article,
  ).toEqual({ externalId: 'refunds' })
  expect((await ask('{ searchArticles(text: "x", first: 51) { score } }')).codes).toEqual(['BAD_INPUT'])

  const entities =
    'query ($all: [_Any!]!) { _entities(representations: $all) { ... on Article { externalId } } }'
  const all = published.map(({ id }: { id: string }) => ({ __typename: 'Article', id }))
  const reads = vi.spyOn(world.database, 'readTenant')
  expect((await ask(entities, { all })).data._entities).toEqual(
    articles.map(({ externalId }) => ({ externalId })),
  )
  expect(reads).toHaveBeenCalledTimes(1)
  reads.mockRestore()
})

test('a foreign id, a random one and a malformed one answer alike', async () => {
  const stranger = await world.organization('admin')
  const [own] = (await ask(PUBLISH, { articles })).data.publishArticles.articles
  const entity = 'query ($id: [_Any!]!) { _entities(representations: $id) { ... on Article { title } } }'
  const doors = [
    (id: string) => ask('query ($id: ID!) { article(id: $id) { title } }', { id }, stranger),
    (id: string) => ask(entity, { id: [{ __typename: 'Article', id }] }, stranger),
  ]
  for (const open of doors) {
    const random = await open(randomUUID())
    expect(await open(own.id)).toEqual(random)
    expect(await open('no id at all')).toEqual(random)
  }
  expect(
    (await ask('{ articles { nodes { id } } searchArticles(text: "refunds") { score } }', {}, stranger)).data,
  ).toEqual({
    articles: { nodes: [] },
    searchArticles: [],
  })
})

test('a viewer reads and does not publish', async () => {
  const viewer = testActor('viewer', operator.organizationId)
  expect((await ask('{ articles { nodes { id } } }', {}, viewer)).codes).toBeUndefined()
  expect((await ask(PUBLISH, { articles }, viewer)).codes).toEqual(['FORBIDDEN'])
})
