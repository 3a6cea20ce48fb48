import type { DefinitionProblemCode } from '../definitions/index.ts'
import { type AttemptError, stepError } from '../engine/core/index.ts'

/** Problems that the error of a refused plan names. */
const MOST_NAMED = 20

/** One thing wrong with an agent's plan. */
export type PlanProblem = {
  /** What is wrong with it as a workflow, or that it does, nests or costs more than its step permits. */
  readonly code: DefinitionProblemCode | 'plan_too_large'
  /** Keys and indexes from the result on, as `$plan.2.agent`. */
  readonly path: string
  readonly message: string
  readonly hint: string
}

/** A problem at a path. */
export function problemAt(
  path: string,
  code: PlanProblem['code'],
  message: string,
  hint: string,
): PlanProblem {
  return { code, path, message, hint }
}

/** What becomes of an attempt with such a plan: all mistakes in one text, the first of them in full. */
export function refusalOf(problems: readonly PlanProblem[]): AttemptError {
  const named = problems.slice(0, MOST_NAMED).map(({ path, message }) => `${path}: ${message}`)
  const more = problems.length - named.length
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`
  const message = `The plan has ${count}. ${named.join(' ')}${more > 0 ? ` And ${more} more.` : ''}`
  return { ...stepError('PLAN_REFUSED', message), retryable: true }
}
