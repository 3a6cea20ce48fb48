import { hasBudgets, reserveCost, settleCost } from '@tutti/agents/domain'
import type { TaskCall } from '../executors/executor.ts'
import { endForBudgets } from './breach.ts'
import { spenderOf } from './spender-of.ts'

/** The least that budgets tell apart, US dollars. */
const LEAST_USD = '0.000001'
/** A first budget is felt this soon. */
const TRUST_MS = 1_000

/**
 * An attempt whose cost is known only when it is over begins only while the budgets that it concerns have anything left;
 * else it ends as {@link endForBudgets} has it.
 */
export async function requireRoom(call: Pick<TaskCall, 'services' | 'task' | 'actor'>): Promise<void> {
  const { services, task, actor } = call
  if (!(await hasBudgets(services, actor, TRUST_MS))) return
  const least = { usd: LEAST_USD, tokens: 0, calls: 0 }
  const reserved = await reserveCost(services, actor, spenderOf(task), least)
  if (reserved.type === 'breached') return endForBudgets(call, reserved.budgets)
  await settleCost(services, reserved.reservation, { usd: 0, tokens: 0, calls: 0 })
}
