import { cursorOf } from '@tutti/schema'
import { createClient as createStreamClient } from 'graphql-sse'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type HttpAgent, httpAgentDocument, startHttpAgent } from './http-agent.ts'
import { applyWorkflow, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const RUNS = 60
const STEPS = ['one', 'two', 'three', 'four', 'five']
const BEGINNING = '0'.repeat(13)
const QUERY = `subscription($after: String, $filter: TaskEventFilter) {
  taskEvents(after: $after, filter: $filter) { cursor type task { id } }
}`

interface Seen {
  cursor: string
  type: string
  task: string
}

interface Payload {
  taskEvents: { cursor: string; type: string; task: { id: string } | null }
}

const toSeen = ({ taskEvents: { cursor, type, task } }: Payload): Seen => ({
  cursor,
  type,
  task: task?.id ?? '',
})

/** A follower that is cut off again and again: what it has seen, and how often it was cut while work went on. */
interface Follower {
  readonly seen: Seen[]
  cuts: number
  readonly done: Promise<void>
}

describe('a client that is cut off and comes back with its cursor', () => {
  const cleanup = new AsyncDisposableStack()
  let platform: Platform
  let agent: HttpAgent
  let workflowId = ''

  beforeAll(async () => {
    agent = cleanup.use(await startHttpAgent(() => ({ takes: 60, output: { done: true } })))
    platform = cleanup.use(
      await startPlatform('standalone', {
        environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true', WORKER_CONCURRENCY: '8' },
      }),
    )
    await registerAgent(platform.as('operator'), httpAgentDocument('slow', agent.url))
    workflowId = await applyWorkflow(platform.as('operator'), {
      format: 'tutti/1',
      name: 'five-slow-steps',
      steps: STEPS.map((name) => ({ name, agent: 'slow' })),
    })
  })
  afterAll(() => cleanup.disposeAsync())

  const headers = () => ({ authorization: `Bearer ${platform.as('viewer').key}` })
  const working = () => agent.answered() < RUNS * STEPS.length

  /** The stock client; its socket is destroyed in the middle, at different places each time. */
  function followBySocket(filter: object, stop: AbortSignal): Follower {
    const follower = { seen: [] as Seen[], cuts: 0, done: Promise.resolve() }
    const once = async (after: string, patience: number): Promise<void> => {
      const sockets: WebSocket[] = []
      const client = createClient({
        url: `${platform.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: headers(),
        retryAttempts: 0,
        on: { opened: (socket) => sockets.push(socket as WebSocket) },
      })
      const dispose = () => void client.dispose()
      stop.addEventListener('abort', dispose, { once: true })
      let received = 0
      try {
        for await (const { data, errors } of client.iterate<Payload & Record<string, unknown>>({
          query: QUERY,
          variables: { after, filter },
        })) {
          if (errors || !data) throw new Error(JSON.stringify(errors))
          follower.seen.push(toSeen(data))
          if (++received !== patience || !working()) continue
          follower.cuts++
          for (const socket of sockets) socket.terminate()
        }
      } catch (error) {
        if (!isClosed(error)) throw error
      } finally {
        stop.removeEventListener('abort', dispose)
        await client.dispose()
      }
    }
    follower.done = (async () => {
      for (let patience = 7; !stop.aborted; patience += 13) {
        await once(follower.seen.at(-1)?.cursor ?? BEGINNING, patience)
      }
    })()
    return follower
  }

  /** The stock graphql-sse client: comes back with `Last-Event-ID`, as a browser's EventSource does. */
  function followByStream(filter: object, stop: AbortSignal): Follower {
    const follower = { seen: [] as Seen[], cuts: 0, done: Promise.resolve() }
    const once = async (lastEventId: string | undefined, patience: number): Promise<void> => {
      const cut = new AbortController()
      const client = createStreamClient({
        url: `${platform.url}/graphql/stream`,
        headers: { ...headers(), ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
        retryAttempts: 0,
        fetchFn: (url: string, init: RequestInit) =>
          fetch(url, { ...init, signal: AbortSignal.any([cut.signal, stop]) }),
      })
      let received = 0
      try {
        for await (const { data, errors } of client.iterate<Payload & Record<string, unknown>>({
          query: QUERY,
          variables: { after: BEGINNING, filter },
        })) {
          if (errors || !data) throw new Error(JSON.stringify(errors))
          follower.seen.push(toSeen(data))
          if (++received !== patience || !working()) continue
          follower.cuts++
          cut.abort()
        }
      } catch (error) {
        if (!cut.signal.aborted && !stop.aborted) throw error
      } finally {
        client.dispose()
      }
    }
    follower.done = (async () => {
      for (let patience = 11; !stop.aborted; patience += 17) {
        await once(follower.seen.at(-1)?.cursor, patience)
      }
    })()
    return follower
  }

  it('has missed nothing, seen nothing twice and everything in order, by WebSocket and by server-sent events', async () => {
    const stop = new AbortController()
    const filter = { workflowId }
    const bySocket = followBySocket(filter, stop.signal)
    const byStream = followByStream(filter, stop.signal)
    await startRuns(
      platform.as('operator'),
      workflowId,
      Array.from({ length: RUNS }, () => ({})),
    )
    await expect
      .poll(() => platform.sql(`select count(*)::int as open from run where status <> 'completed'`), {
        timeout: 30_000,
      })
      .toEqual([{ open: 0 }])

    const rows = await platform.sql<{ seq: string; type: string; task: string }>(
      `select seq::text, type, data->>'taskId' as task from log.event where type like 'task.%' order by event.seq`,
    )
    const all = rows.map(({ seq, type, task }) => ({ cursor: cursorOf(BigInt(seq)), type, task }))
    expect(all.length).toBeGreaterThanOrEqual(RUNS * STEPS.length * 3)
    for (const follower of [bySocket, byStream]) {
      await Promise.race([
        expect.poll(() => follower.seen.at(-1)?.cursor, { timeout: 15_000 }).toBe(all.at(-1)?.cursor),
        // It ends before we stop it only by an error.
        follower.done,
      ])
    }
    stop.abort()
    await Promise.all([bySocket.done, byStream.done])
    expect(bySocket.seen).toEqual(all)
    expect(byStream.seen).toEqual(all)
    console.log(`${all.length} events; cuts: ${bySocket.cuts} by WebSocket, ${byStream.cuts} by SSE`)
    expect(bySocket.cuts).toBeGreaterThanOrEqual(4)
    expect(byStream.cuts).toBeGreaterThanOrEqual(4)
  })
})

/** The socket's close, as graphql-ws rejects with it. */
function isClosed(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 1006
}
