import { type Bench, interleave, percentile, type Round } from './bench.ts'
import { startChild } from './fixtures/child.ts'
import { OPERATIONS } from './fixtures/gateway-cases.ts'

const CONNECTIONS = 32
const KINDS = ['tutti', 'apollo'] as const
const MODES = ['inprocess', 'http'] as const

/**
 * A federated query with three fetches over fixed in-memory subgraphs: `:cross` one task, every request another;
 * `:list` fifty tasks, every request others; `:same` one request again and again. `gateway_cpu` is the gateway
 * process's CPU a request (in process the subgraphs' too). The apollo cases are the bare @apollo/gateway.
 */
export const bench: Bench = {
  name: 'gateway',
  async run(context) {
    await using subgraphs = await startChild<{ urls: Record<string, string> }>('subgraphs', {})
    await using load = await startChild('load', {})
    await using stack = new AsyncDisposableStack()
    const cases: Record<string, () => Promise<Round>> = {}
    for (const mode of MODES) {
      for (const kind of KINDS) {
        const settings = { kind, ...(mode === 'http' ? { urls: subgraphs.ready.urls } : {}) }
        const gateway = stack.use(await startChild<{ url: string; key: string }>('gateway', settings))
        for (const operation of Object.keys(OPERATIONS)) {
          cases[`${kind}-${mode}:${operation}`] = async () => {
            const question = { ...gateway.ready, operation, connections: CONNECTIONS }
            await load.ask({ ...question, seconds: context.quick ? 1.5 : 2 })
            const before = await gateway.ask<NodeJS.CpuUsage>({})
            const { latencies, seconds } = await load.ask<{ latencies: Float64Array; seconds: number }>({
              ...question,
              seconds: context.quick ? 3 : 6,
            })
            const after = await gateway.ask<NodeJS.CpuUsage>({})
            const cpu = after.user - before.user + after.system - before.system
            const all = [...latencies]
            return {
              throughput: { value: all.length / seconds, unit: 'req/s' },
              p50: { value: percentile(all, 0.5), unit: 'ms' },
              p99: { value: percentile(all, 0.99), unit: 'ms' },
              gateway_cpu: { value: cpu / all.length, unit: 'µs' },
            }
          }
        }
      }
    }
    await interleave(context, cases)
  },
}
