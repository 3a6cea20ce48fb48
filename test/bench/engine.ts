import { type Bench, interleave, percentile, type Round } from './bench.ts'
import { type EngineWorld, startEngineWorld, startRedis, STEPS } from './engine/engine-world.ts'
import { rawBullmq } from './engine/raw-bullmq.ts'
import { rawBatches, rawCommits } from './engine/raw-postgres.ts'

const RUNS = 1_000
const SINGLE_RUNS = 200

/** Five no-op steps × 1,000 runs, and one run at a time, beside what lies underneath, on one PostgreSQL with fsync. */
export const bench: Bench = {
  name: 'engine',
  async run(context) {
    await using postgres = await startEngineWorld()
    await using redis = await startRedis()
    await using onRedis = redis ? await startEngineWorld(redis.url) : undefined
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
    await interleave(context, cases)
  },
}

async function measure(world: EngineWorld): Promise<Round> {
  const cpu = process.cpuUsage()
  const store = world.storeCpu()
  const begun = performance.now()
  await world.run(RUNS)
  const seconds = (performance.now() - begun) / 1000
  const used = process.cpuUsage(cpu)
  const micros = used.user + used.system + (world.storeCpu() - store) * 1e6
  const latency: number[] = []
  for (let run = 0; run < SINGLE_RUNS; run++) {
    const started = performance.now()
    await world.run(1)
    latency.push(performance.now() - started)
  }
  return {
    throughput: { value: (RUNS * STEPS) / seconds, unit: 'steps/s' },
    latency_p50: { value: percentile(latency, 0.5), unit: 'ms' },
    latency_p99: { value: percentile(latency, 0.99), unit: 'ms' },
    cpu_per_step: { value: micros / (RUNS * STEPS), unit: 'µs' },
  }
}
