import { type Actor, scopesOf } from '@tutti/schema'
import { GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql'
import { expect, test } from 'vitest'
import { createLog } from '../process/create-log.ts'
import { bindSubgraph } from './execute-subgraph.ts'

const actor: Actor = {
  organizationId: '00000000-0000-7000-8000-000000000001',
  id: 'eva',
  kind: 'person',
  name: 'Eva',
  roles: ['viewer'],
  scopes: scopesOf(['viewer']),
}

/** A feed that gives some numbers and then neither ends nor hears that nobody listens. */
function deafFeed(numbers: number[]) {
  const rest = [...numbers]
  const feed = {
    returned: 0,
    [Symbol.asyncIterator]: () => ({
      next: () =>
        rest.length > 0
          ? Promise.resolve({ done: false, value: { ticks: rest.shift() } })
          : new Promise<never>(() => undefined),
      return: async () => {
        feed.returned += 1
        return { done: true, value: undefined }
      },
    }),
  }
  return feed
}

function subgraphOver(feed: object) {
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { one: { type: GraphQLInt, resolve: () => 1 } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { ticks: { type: GraphQLInt, subscribe: () => feed } },
    }),
  })
  const subgraph = {
    name: 'ticks',
    sdl: '',
    schema,
    context: (_services: object, who: Actor) => ({ actor: who }),
  }
  return bindSubgraph(subgraph, {}, createLog('test', 'silent'))
}

test('a subscription ends when nobody listens any more, also where its source does not hear that', async () => {
  const feed = deafFeed([1, 2])
  const ending = new AbortController()
  const heard: unknown[] = []
  const results = subgraphOver(feed).subscribe({ query: 'subscription { ticks }', actor }, ending.signal)
  for await (const { data } of results) {
    heard.push(data?.['ticks'])
    if (heard.length === 2) queueMicrotask(() => ending.abort())
  }
  expect(heard).toEqual([1, 2])
  expect(feed.returned).toBe(1)
})

test('a listener who leaves by himself lets go of the source', async () => {
  const feed = deafFeed([1, 2])
  const results = subgraphOver(feed).subscribe(
    { query: 'subscription { ticks }', actor },
    new AbortController().signal,
  )
  for await (const { data } of results) if (data?.['ticks'] === 1) break
  expect(feed.returned).toBe(1)
})

test('without an actor there is one refusal and no source', async () => {
  const feed = deafFeed([1])
  const results = subgraphOver(feed).subscribe(
    { query: 'subscription { ticks }', actor: null },
    new AbortController().signal,
  )
  const all = await Array.fromAsync(results)
  expect(all).toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }])
})
