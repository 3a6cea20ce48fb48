import type { DefinitionProblemCode } from '../definitions/index.ts'

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
