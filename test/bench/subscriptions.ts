import { setTimeout as sleep } from 'node:timers/promises'

import { type Bench, interleave, percentile, type Round } from './bench.ts'
import type { BroadcastQuestion } from './fixtures/broadcaster.ts'
import { type Child, startChild } from './fixtures/child.ts'

const CLIENTS = 500
/** At once, for the throughput; and one every 50 ms, for the delay. */
const BURST = 200
const PACED = { events: 100, everyMs: 50 }

interface Heard {
  count: number
  last: number
  latencies: Float64Array | null
}

/**
 * 500 clients on one identical subscription with fields of three subgraphs, beside a bare `ws` server that sends bytes
 * of the same form to 500 bare clients. `throughput`: a burst of 200 events, from the first emit to the last receipt.
 * `p99`: from emit to a client, at 20 events a second. `idle_bytes`: heap and buffers of the server for one client that waits.
 */
export const bench: Bench = {
  name: 'subscriptions',
  async run(context) {
    await interleave(context, { tutti: () => measure('tutti'), 'raw-ws': () => measure('raw-ws') })
  },
}

async function measure(kind: 'tutti' | 'raw-ws'): Promise<Round> {
  await using server = await startChild<{ url: string; key: string }>('broadcaster', { kind }, [
    '--expose-gc',
  ])
  const ask = (question: BroadcastQuestion) => server.ask<number>(question)
  const listen = (count: number) => startChild('listeners', { kind, count, ...server.ready })

  // The first clients make the server load and compile what all share.
  const warm = await listen(20)
  await connected(ask, 20)
  await ask({ do: 'emit', events: 200, everyMs: 1 })
  await heard(warm, 20 * 200)
  await warm[Symbol.asyncDispose]()
  await connected(ask, 0)
  const before = await ask({ do: 'memory' })

  await using listeners = await listen(CLIENTS)
  await connected(ask, CLIENTS)
  const idle = (await ask({ do: 'memory' })) - before

  await ask({ do: 'emit', events: 20, everyMs: 10 })
  await heard(listeners, 20 * CLIENTS)
  const began = performance.timeOrigin + performance.now()
  await ask({ do: 'emit', events: BURST, everyMs: 0 })
  const burst = await heard(listeners, BURST * CLIENTS)
  await ask({ do: 'emit', ...PACED })
  const paced = await heard(listeners, PACED.events * CLIENTS)
  return {
    throughput: { value: (BURST * CLIENTS) / ((burst.last - began) / 1_000), unit: 'deliveries/s' },
    p99: { value: percentile([...(paced.latencies ?? [])], 0.99), unit: 'ms' },
    idle_bytes: { value: idle / CLIENTS, unit: 'B' },
  }
}

async function connected(
  ask: (question: BroadcastQuestion) => Promise<number>,
  count: number,
): Promise<void> {
  await until(`${count} clients`, async () => (await ask({ do: 'clients' })) === count)
}

/** Waits for that many deliveries, takes them, and starts counting anew. Throws when there are more or fewer. */
async function heard(listeners: Child, count: number): Promise<Heard> {
  await until(
    `${count} deliveries`,
    async () => (await listeners.ask<Heard>({ reset: false })).count >= count,
  )
  const all = await listeners.ask<Heard>({ reset: true })
  if (all.count !== count) throw new Error(`${all.count} deliveries instead of ${count}`)
  return all
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`It did not come true: ${what}`)
    await sleep(20)
  }
}
