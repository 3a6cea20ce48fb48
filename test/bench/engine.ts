import { type Bench, interleave, percentile, type Round } from './bench.ts'
import { type EngineWorld, startEngineWorld, startRedis, STEPS } from './engine/engine-world.ts'
import { measureProcesses } from './engine/worker-processes.ts'
import { rawBullmq } from './engine/raw-bullmq.ts'
import { rawBatches, rawCommits } from './engine/raw-postgres.ts'

const RUNS = 1_000
const SINGLE_RUNS = 200
const FAN_OUT = 100
const FAN_OUTS = 30
const ITEMS = 10_000
const HISTORY = 100_000
const CROWD = 10_000
const NEIGHBOURS = 100

/** Five no-op steps × 1,000 runs, and one run at a time, beside what lies underneath, on one PostgreSQL with fsync. */
export const bench: Bench = {
  name: 'engine',
  async run(context) {
    await using postgres = await startEngineWorld()
    await using redis = await startRedis()
    await using onRedis = redis ? await startEngineWorld({ redisUrl: redis.url }) : undefined
    const steps = RUNS * STEPS
    const cases: Record<string, () => Promise<Round>> = {
      'tutti-postgres': () => measure(postgres),
      ...(onRedis ? { 'tutti-redis': () => measure(onRedis) } : {}),
      'raw-commits': async () => {
        const { throughput, latency } = await rawCommits(postgres.url, steps)
        return {
          throughput: { value: throughput, unit: 'steps/s' },
          latency_p50: { value: percentile(latency, 0.5), unit: 'ms' },
          latency_p99: { value: percentile(latency, 0.99), unit: 'ms' },
        }
      },
      'raw-batches': async () => ({
        throughput: { value: await rawBatches(postgres.url, steps * 10), unit: 'steps/s' },
      }),
      ...(redis
        ? {
            'bullmq-redis': async () => ({
              throughput: { value: await rawBullmq({ redisUrl: redis.url }, steps), unit: 'steps/s' },
            }),
          }
        : {}),
      'bullmq-postgres': async () => ({
        throughput: { value: await rawBullmq({ postgresUrl: postgres.url }, steps), unit: 'steps/s' },
      }),
    }
    await postgres.run(100) // plans, caches and the JIT are warm in production
    await onRedis?.run(100)
    await postgres.run(3, 'fanout', { items: numbers(FAN_OUT) })
    await interleave(context, cases)
    const shapes: Record<string, () => Promise<Round>> = {
      'tutti-postgres': () => measureShapes(postgres),
      ...(onRedis ? { 'tutti-redis': () => measureShapes(onRedis) } : {}),
    }
    await interleave(context, shapes)
    await interleave(context, { 'tutti-postgres': () => measureFairness(postgres) })
    await measureProcesses(context)
    await postgres.addHistory(HISTORY)
    await interleave(context, { 'tutti-postgres': () => measureAfterHistory(postgres) })
  },
}

async function measure(world: EngineWorld): Promise<Round> {
  const before = await world.written()
  const cpu = process.cpuUsage()
  const store = world.storeCpu()
  const seconds = await timed(() => world.run(RUNS))
  const used = process.cpuUsage(cpu)
  const micros = used.user + used.system + (world.storeCpu() - store) * 1e6
  const after = await world.written()
  const latency = await singles(world, SINGLE_RUNS)
  const steps = RUNS * STEPS
  return {
    throughput: { value: steps / seconds, unit: 'steps/s' },
    latency_p50: { value: percentile(latency, 0.5), unit: 'ms' },
    latency_p99: { value: percentile(latency, 0.99), unit: 'ms' },
    cpu_per_step: { value: micros / steps, unit: 'µs' },
    transactions_per_step: { value: (after.commits - before.commits) / steps, unit: '1' },
    wal_per_step: { value: (after.walBytes - before.walBytes) / steps, unit: 'B' },
  }
}

async function measureShapes(world: EngineWorld): Promise<Round> {
  const fanout: number[] = []
  for (let run = 0; run < FAN_OUTS; run++)
    fanout.push(1_000 * (await timed(() => world.run(1, 'fanout', { items: numbers(FAN_OUT) }))))
  const seconds = await timed(() => world.run(1, 'fanout', { items: numbers(ITEMS) }))
  return {
    fanout_p50: { value: percentile(fanout, 0.5), unit: 'ms' },
    map10k_throughput: { value: ITEMS / seconds, unit: 'steps/s' },
  }
}

/** One tenant's runs one by one, alone and beside another who has many waiting. */
async function measureFairness(world: EngineWorld): Promise<Round> {
  const idle = await singles(world.neighbour, NEIGHBOURS)
  const busy: number[] = []
  let over = false
  const crowd = world.run(CROWD).then(() => (over = true))
  await new Promise((resolve) => setTimeout(resolve, 500))
  while (!over && busy.length < NEIGHBOURS) busy.push(...(await singles(world.neighbour, 1)))
  await crowd
  return {
    neighbour_idle_p50: { value: percentile(idle, 0.5), unit: 'ms' },
    neighbour_p50: { value: percentile(busy, 0.5), unit: 'ms' },
    neighbour_p99: { value: percentile(busy, 0.99), unit: 'ms' },
  }
}

async function measureAfterHistory(world: EngineWorld): Promise<Round> {
  const seconds = await timed(() => world.run(RUNS))
  const latency = await singles(world, SINGLE_RUNS)
  const { fanout_p50, map10k_throughput } = await measureShapes(world)
  return {
    after100k_throughput: { value: (RUNS * STEPS) / seconds, unit: 'steps/s' },
    after100k_latency_p50: { value: percentile(latency, 0.5), unit: 'ms' },
    ...(fanout_p50 ? { after100k_fanout_p50: fanout_p50 } : {}),
    ...(map10k_throughput ? { after100k_map10k_throughput: map10k_throughput } : {}),
  }
}

async function singles(world: Pick<EngineWorld, 'run'>, runs: number): Promise<number[]> {
  const latency: number[] = []
  for (let run = 0; run < runs; run++) latency.push(1_000 * (await timed(() => world.run(1))))
  return latency
}

/** Seconds that the work takes. */
async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1_000
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
