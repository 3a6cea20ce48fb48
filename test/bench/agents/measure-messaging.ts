import { agents } from '@tutti/agents'
import { acknowledgeMessages, receiveMessages, registerAgent, sendAgentMessage } from '@tutti/agents/domain'
import { openData } from '@tutti/prisma'
import type { TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import pg from 'pg'
import { type BenchContext, interleave, percentile, type Round } from '../bench.ts'

const NOTHING = { value: Number.NaN, unit: 'ms' }
const SENDERS = 50
const AGENTS = 20
const A_SECOND = 200
const LISTENER = 'listener'
const BODY = { text: 'The order has been shipped and will arrive on Thursday.', order: 4711 }

/**
 * What messages between agents cost. `messages` and `send_*`: 50 senders, each one message after another, to 20 agents that
 * take and acknowledge theirs meanwhile by long poll. `message_*`: 200 messages a second to a subscriber of `agentInbox` in
 * another process's place (a log reader and connections of its own), from the send to the delivery. Case `raw-inserts`: the
 * same senders, a row each by a statement and a commit of its own, without indexes, rights or events.
 */
export async function measureMessaging(
  context: BenchContext,
  world: TestDatabase,
  actor: Actor,
): Promise<void> {
  const seconds = context.quick ? 4 : 10
  const names = [...Array.from({ length: AGENTS }, (_, index) => `reader-${index}`), LISTENER]
  for (const name of names)
    await registerAgent(world, actor, {
      document: `metadata: {name: ${name}, type: bench.reader, version: 1.0.0}\nexecutor: {type: external}`,
    })
  await using sending = await openData({ url: world.url, secret: world.secret })
  await using receiving = await openData({ url: world.url, secret: world.secret })
  await using raw = Object.assign(new pg.Pool({ connectionString: world.url, max: 10 }), {
    async [Symbol.asyncDispose]() {
      await raw.end()
    },
  })
  await raw.query(
    'create table if not exists bench_message (id uuid primary key default uuidv7(), body jsonb not null)',
  )

  /** Everybody at once, again and again. */
  async function rush(once: (sender: number) => Promise<unknown>): Promise<Round> {
    const latencies: number[] = []
    const began = performance.now()
    await Promise.all(
      Array.from({ length: SENDERS }, async (_, sender) => {
        while (performance.now() - began < seconds * 1_000) {
          const started = performance.now()
          await once(sender)
          latencies.push(performance.now() - started)
        }
      }),
    )
    const took = (performance.now() - began) / 1_000
    return {
      throughput: { value: latencies.length / took, unit: 'messages/s' },
      p50: { value: percentile(latencies, 0.5), unit: 'ms' },
      p99: { value: percentile(latencies, 0.99), unit: 'ms' },
    }
  }

  async function messaging(): Promise<Round> {
    let over = false
    let read = 0
    const readers = names.slice(0, AGENTS).map(async (agent) => {
      for (;;) {
        const messages = await receiveMessages(receiving, actor, { agent, most: 100, waitSeconds: 0.5 })
        if (messages.length > 0)
          await acknowledgeMessages(receiving, actor, { agent, ids: messages.map(({ id }) => id) })
        else if (over) return
        read += messages.length
      }
    })
    let sent = 0
    const began = performance.now()
    const round = await rush((sender) =>
      sendAgentMessage(sending, actor, { to: { agent: names[(sender + sent++) % AGENTS] }, body: BODY }),
    )
    over = true
    await Promise.all(readers)
    if (read !== sent) throw new Error(`${sent} messages were sent, and ${read} read.`)
    const took = (performance.now() - began) / 1_000
    return {
      messages: { value: sent / took, unit: '1/s' },
      send_p50: round['p50'] ?? NOTHING,
      send_p99: round['p99'] ?? NOTHING,
    }
  }

  const rawInsert = () =>
    rush(() => raw.query('insert into bench_message (body) values ($1)', [JSON.stringify(BODY)]))

  async function delivery(): Promise<Round> {
    const log = createLog('bench', 'silent')
    const services = { database: receiving.database, tail: receiving.tail, log, kms: createKms(world) }
    const subgraph = bindSubgraph(agents, services, log)
    const leaving = new AbortController()
    const query = `subscription { agentInbox(agent: "${LISTENER}") { messages { id body } } }`
    const feed = subgraph.subscribe({ query, variables: {}, actor }, leaving.signal)
    const latencies: number[] = []
    const count = seconds * A_SECOND
    const listening = (async () => {
      for await (const { data, errors } of feed) {
        if (errors) throw new Error(errors.map(({ message }) => message).join())
        const now = performance.now()
        const { agentInbox }: { agentInbox: { messages: { id: string; body: { at: number } }[] } } =
          JSON.parse(JSON.stringify(data))
        for (const { body } of agentInbox.messages) latencies.push(now - body.at)
        await acknowledgeMessages(receiving, actor, {
          agent: LISTENER,
          ids: agentInbox.messages.map(({ id }) => id),
        })
        if (latencies.length >= count) return
      }
    })()
    const began = performance.now()
    const sends: Promise<unknown>[] = []
    for (let made = 0; made < count; made++) {
      const early = began + (made * 1_000) / A_SECOND - performance.now()
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
      const body = { ...BODY, at: performance.now() }
      sends.push(sendAgentMessage(sending, actor, { to: { agent: LISTENER }, body }))
    }
    await Promise.all(sends)
    await listening
    leaving.abort()
    if (latencies.length !== count)
      throw new Error(`${count} messages were sent, and ${latencies.length} came.`)
    return {
      message_p50: { value: percentile(latencies, 0.5), unit: 'ms' },
      message_p99: { value: percentile(latencies, 0.99), unit: 'ms' },
    }
  }

  await interleave(context, {
    tutti: async () => ({ ...(await messaging()), ...(await delivery()) }),
    'raw-inserts': rawInsert,
  })
}
