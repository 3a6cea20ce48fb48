import { chooseModel, recordModelCall, setModel } from '@tutti/agents/domain'
import { openTestDatabase } from '@tutti/prisma/testing'
import { measureHttpOverhead } from './agents/http-overhead.ts'
import { measureBudgets } from './agents/measure-budgets.ts'
import { measureMessaging } from './agents/measure-messaging.ts'
import { type Bench, interleave, percentile, type Round } from './bench.ts'
import { startTestPostgres } from './start-postgres.ts'

const MODELS = 50
const A_SECOND = 1_000

/**
 * What agents cost before they work, on a PostgreSQL as `npm start` has it. `routing_*`: 1,000 choices a second among 50
 * models with calls in their windows, as a worker makes them (registry and settings at most a second old, other processes'
 * calls read each second): time of each, and the CPU that all of them take. Then calls over HTTP, messages, budgets.
 */
export const bench: Bench = {
  name: 'agents',
  async run(context) {
    await using _postgres = await startTestPostgres()
    await using world = await openTestDatabase()
    const actor = await world.organization('admin')
    for (let index = 0; index < MODELS; index++) {
      const model = await setModel(world, actor, {
        provider: `provider-${index % 5}`,
        name: `model-${index}`,
        contextTokens: 100_000,
        maxOutputTokens: 10_000,
        requestsPerMinute: 10_000,
        tokensPerMinute: 10_000_000,
        quality: { write: 0.5 + index / 200 },
      })
      for (let call = 0; call < 5; call++) {
        await recordModelCall(world, actor, {
          model,
          name: model.name,
          runId: null,
          taskId: null,
          agentId: null,
          tokens: { input: 1_000, output: 200, cached: 0 },
          latencyMs: 200 + 100 * index,
          outcome: call === 4 && index % 7 === 0 ? 'MODEL_UNAVAILABLE' : 'ok',
          retryAfterMs: undefined,
          quality: 0.8,
          reason: {},
        })
      }
    }
    const choose = () => chooseModel(world, actor, { taskType: 'write' }, { trustMs: 1_000 })
    const router = async (): Promise<Round> => {
      for (let warm = 0; warm < 500; warm++) await choose()
      const seconds = context.quick ? 3 : 10
      const latencies: number[] = []
      const cpu = process.cpuUsage()
      const began = performance.now()
      for (let made = 0; made < seconds * A_SECOND; made++) {
        const due = began + made
        const early = due - performance.now()
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
        const started = performance.now()
        const { routing } = await choose()
        latencies.push(performance.now() - started)
        if (routing.chain.length < 1) throw new Error('Nothing was chosen.')
      }
      const took = (performance.now() - began) / 1000
      const { user, system } = process.cpuUsage(cpu)
      return {
        routing_throughput: { value: latencies.length / took, unit: 'decisions/s' },
        routing_p50: { value: percentile(latencies, 0.5), unit: 'ms' },
        routing_p99: { value: percentile(latencies, 0.99), unit: 'ms' },
        routing_cpu: { value: (user + system) / latencies.length, unit: 'µs' },
      }
    }
    await interleave(context, { tutti: router })
    await measureHttpOverhead(context, world, actor)
    await measureMessaging(context, world, actor)
    // The last one: from here on the organization has budgets.
    await measureBudgets(context, world, actor)
  },
}
