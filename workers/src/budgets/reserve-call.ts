import {
  type Amount,
  type BudgetRow,
  costOf,
  type Model,
  priceAt,
  reserveCost,
  settleCost,
} from '@tutti/agents/domain'
import type { TaskCall } from '../executors/executor.ts'
import { spenderOf } from './spender-of.ts'

/** Tokens of a call: as expected, and what its question may come to at most. */
export interface TokenEstimate {
  input: number
  output: number
  inputAtMost: number
}

/** A call does not fit into these budgets; it was not made. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom'
  readonly budgets: readonly BudgetRow[]

  constructor(budgets: readonly BudgetRow[]) {
    super(`no room in ${budgets.map(({ name }) => name).join(', ')}`)
    this.budgets = budgets
  }
}

/** US dollars that a call is expected to cost, as a decimal text; 0 where no price is known. */
export function estimatedUsd(model: Model | null, input: number, output: number): string {
  const price = model && priceAt(model, new Date())
  return price ? costOf(price, { input, output, cached: 0 }) : '0'
}

/**
 * Reserves a call of a model in the budgets that it concerns; the answer settles it, once, and does not reject. Waits
 * while there is room for its estimate but not for all that it may come to beside the calls under way. Rejects with
 * {@link NoRoom}.
 */
export async function reserveCall(
  { services, task, actor }: Pick<TaskCall, 'services' | 'task' | 'actor'>,
  model: Model | null,
  { input, output, inputAtMost }: TokenEstimate,
  signal?: AbortSignal,
): Promise<(actual: Amount) => Promise<void>> {
  const reserved = await reserveCost(
    services,
    actor,
    spenderOf(task),
    {
      usd: estimatedUsd(model, input, output),
      tokens: input + output,
      calls: 1,
      atMost: { usd: estimatedUsd(model, inputAtMost, output), tokens: inputAtMost + output },
    },
    { signal },
  )
  if (reserved.type === 'breached') throw new NoRoom(reserved.budgets)
  return (actual) =>
    settleCost(services, reserved.reservation, actual).catch((error: unknown) =>
      services.log.warn(
        { err: error },
        'a call was not settled; what it reserved is free when its lease ends',
      ),
    )
}
