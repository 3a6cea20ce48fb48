import { registerAgent, reserveCost, setBudget, settleCost } from '@tutti/agents/domain'
import type { TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { type BenchContext, interleave, percentile, type Round } from '../bench.ts'

const CALLERS = 50
const RUNS = 10

const AGENT = `
metadata: { name: spender, type: bench.spender, version: 1.0.0 }
capabilities: [spend]
executor: { type: builtin, function: sentiment }
`

/**
 * What budgets cost a call. Case `budget`: 50 callers at once reserve in four budgets (the organization's day and total,
 * the agent's day, each run's total) and settle; time of a reservation. Case `raw-update`: the same callers, two updates
 * of one row each time, on the same connections.
 */
export async function measureBudgets(
  context: BenchContext,
  world: TestDatabase,
  actor: Actor,
): Promise<void> {
  const { agent } = await registerAgent(world, actor, { document: AGENT })
  const most = { maxUsd: 10_000_000, maxTokens: 1_000_000_000_000 }
  await setBudget(world, actor, { name: 'day', window: 'day', ...most })
  await setBudget(world, actor, { name: 'total', window: 'total', ...most })
  await setBudget(world, actor, { name: 'agent', agentId: agent.id, window: 'day', ...most })
  await setBudget(world, actor, { name: 'run', scope: 'run', window: 'total', ...most })
  const runs = Array.from({ length: RUNS }, () => crypto.randomUUID())
  const seconds = context.quick ? 3 : 10

  /** Everybody at once, again and again. */
  async function rush(once: (caller: number, timed: (ms: number) => void) => Promise<void>): Promise<Round> {
    const latencies: number[] = []
    const began = performance.now()
    await Promise.all(
      Array.from({ length: CALLERS }, async (_, caller) => {
        while (performance.now() - began < seconds * 1_000) await once(caller, (ms) => latencies.push(ms))
      }),
    )
    const took = (performance.now() - began) / 1_000
    return {
      throughput: { value: latencies.length / took, unit: 'reservations/s' },
      p50: { value: percentile(latencies, 0.5), unit: 'ms' },
      p99: { value: percentile(latencies, 0.99), unit: 'ms' },
    }
  }

  const budget = () =>
    rush(async (caller, timed) => {
      const started = performance.now()
      const reserved = await reserveCost(
        world,
        actor,
        {
          agentId: agent.id,
          runId: runs[caller % RUNS] ?? null,
          workflowId: null,
          stepPath: 'spend',
          step: 'spend',
        },
        { usd: 0.01, tokens: 1_000, calls: 1 },
      )
      timed(performance.now() - started)
      if (reserved.type !== 'reserved') throw new Error('Nothing was reserved.')
      await settleCost(world, reserved.reservation, { usd: 0.005, tokens: 500, calls: 1 })
    })

  const rawUpdate = () =>
    rush(async (_, timed) => {
      const update = () =>
        world.database.pool('worker').query({
          name: 'raw-update',
          text: `update budget_use set used_calls = used_calls + 1 where organization_id = $1 and subject = ''
            and budget_id = (select id from budget where organization_id = $1 and name = 'total')`,
          values: [actor.organizationId],
        })
      const started = performance.now()
      await update()
      timed(performance.now() - started)
      await update()
    })

  await interleave(context, { budget, 'raw-update': rawUpdate })
}
