import {
  compileExpression,
  type ExpressionEquality,
  type ExpressionPath,
  type StepBudget,
} from '@tutti/runtime/expressions'
import { type DecisionRequest, READABLE } from './decision-request.ts'

/** A condition, ready: never throws, what goes wrong is an outcome. It takes its steps from the decision's. */
export type PolicyCondition = (request: DecisionRequest, budget: StepBudget) => ConditionOutcome
export type ConditionOutcome =
  | { readonly ok: true; readonly value: boolean }
  | { readonly ok: false; readonly message: string }

export type CompiledPolicyCondition =
  | { readonly ok: true; readonly condition: PolicyCondition }
  | { readonly ok: false; readonly problems: readonly string[] }

const TRUE: ConditionOutcome = { ok: true, value: true }
const FALSE: ConditionOutcome = { ok: true, value: false }

/** They make large texts of small ones. */
const REFUSED = new Set(['join', 'replace', 'repeat', 'split', 'bytes', 'json'])

/**
 * Parses a condition in CEL over `actor`, `action`, `resource` and `context`. All of its problems at once: it does not
 * parse, it is no yes or no, it reads what cannot exist, or it could cost too much.
 */
export function compilePolicyCondition(text: string): CompiledPolicyCondition {
  const compiled = compileExpression(text, 'boolean')
  if (!compiled.ok) {
    return { ok: false, problems: [`${compiled.message} At character ${compiled.offset}. ${compiled.hint}`] }
  }
  const { paths, calls, equalities, test } = compiled.expression
  const problems = [
    ...paths.flatMap(problemOf),
    ...[...calls].filter((call) => REFUSED.has(call)).map((call) => `${call}() is not offered here.`),
  ]
  if (problems.length > 0) return { ok: false, problems }
  const needed = equalities.filter(isOfValue)
  return {
    ok: true,
    condition: (request, budget) => {
      // What must be equal and is not makes the whole false, whatever the rest: most conditions end here.
      for (const { names, value } of needed) if (valueAt(request, names) !== value) return FALSE
      const outcome = test(request, budget)
      if (typeof outcome === 'boolean') return outcome ? TRUE : FALSE
      return { ok: false, message: outcome.message }
    },
  }
}

function problemOf({ names, offset }: ExpressionPath): string[] {
  const [root = '', field, below] = names
  const known = Object.hasOwn(READABLE, root) ? READABLE[root] : undefined
  const at = `at character ${offset}`
  if (known === undefined)
    return [`There is no ${root}, ${at}. A condition reads ${Object.keys(READABLE).join(', ')}.`]
  if (field === undefined) return []
  if (known === 'value') return [`${root} is a text and has no ${field}, ${at}.`]
  const kind = Object.hasOwn(known, field) ? known[field] : undefined
  if (kind === undefined)
    return [`There is no ${root}.${field}, ${at}. There are ${Object.keys(known).join(', ')}.`]
  return kind === 'value' && below !== undefined ? [`${root}.${field} has no ${below}, ${at}.`] : []
}

/** Fields that are always there: of others it matters whether they are. */
function isOfValue({ names }: ExpressionEquality): boolean {
  const [root = '', field, below] = names
  const known = READABLE[root]
  if (known === undefined || below !== undefined) return false
  return typeof known === 'string' ? field === undefined : field !== undefined && known[field] === 'value'
}

function valueAt(request: DecisionRequest, names: readonly string[]): unknown {
  let value: unknown = request
  for (const name of names) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, name)
  }
  return value
}
