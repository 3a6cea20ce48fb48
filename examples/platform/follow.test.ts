import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { afterEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'

import { follow } from './follow.ts'

const schema = buildSchema('type Query { x: Int } type Subscription { ticks(after: String): Int! }')
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** Counts on from `after`, and cuts the socket in place of the third and sixth result, as a broken network does. */
async function countingServer(authorize: (key: unknown) => boolean, last: number) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/graphql' })
  const cutting = new Set([3, 6])
  useServer(
    {
      schema,
      onConnect: (context) => authorize(context.connectionParams?.['authorization']),
      subscribe: async ({ variableValues }) => {
        async function* count() {
          for (let at = Number(variableValues?.['after'] ?? 0) + 1; at <= last; at++) {
            if (cutting.delete(at)) {
              for (const socket of server.clients) socket.terminate()
              return
            }
            yield { data: { ticks: at } }
          }
        }
        return count()
      },
    },
    server,
  )
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/graphql`, key: 'tutti_k', keySource: 'test' }
}

const SUBSCRIPTION = { query: 'subscription ($after: String) { ticks(after: $after) }' }

test('a feed that is cut twice goes on from its cursor: nothing missed, nothing twice', async () => {
  const door = await countingServer((key) => key === 'Bearer tutti_k', 8)
  const abort = new AbortController()
  const seen: number[] = []
  let cuts = 0
  await follow<{ ticks: number }>(
    door,
    SUBSCRIPTION,
    {
      cursorOf: (data) => String(data.ticks),
      onData: (data) => {
        seen.push(data.ticks)
        if (data.ticks === 8) abort.abort()
      },
      onCut: () => cuts++,
    },
    abort.signal,
  )
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(cuts).toBe(2)
})

test('a refused key ends it with words instead of trying for ever', async () => {
  const door = await countingServer(() => false, 1)
  const nothing = { cursorOf: () => '', onData: () => undefined }
  await expect(follow(door, SUBSCRIPTION, nothing, new AbortController().signal)).rejects.toThrow(
    'refused: 4403',
  )
})
