import { compileExpression, type ExpressionEquality, type ExpressionPath } from '@tutti/runtime/expressions'
import { type DecisionRequest, READABLE } from './decision-request.ts'

/** A condition, ready: never throws, what goes wrong is an outcome. */
export type PolicyCondition = (request: DecisionRequest) => ConditionOutcome
export type ConditionOutcome =
  | { readonly ok: true; readonly value: boolean }
  | { readonly ok: false; readonly message: string }

export type CompiledPolicyCondition =
  | { readonly ok: true; readonly condition: PolicyCondition }
  | { readonly ok: false; readonly problems: readonly string[] }

const TRUE: ConditionOutcome = { ok: true, value: true }
const FALSE: ConditionOutcome = { ok: true, value: false }

/** Values that a condition with a macro may have to go through; of more, it is not evaluated. */
const MOST_VALUES = 10_000
const MACROS = ['all', 'exists', 'exists_one', 'map', 'filter', 'bind']
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
  const isLooping = MACROS.some((macro) => calls.has(macro))
  return {
    ok: true,
    condition: (request) => {
      // What must be equal and is not makes the whole false, whatever the rest: most conditions end here.
      for (const { names, value } of needed) if (valueAt(request, names) !== value) return FALSE
      if (isLooping && !isWithin(request)) {
        return { ok: false, message: `It would go through more than ${MOST_VALUES} values.` }
      }
      const outcome = test(request)
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

function isWithin({ context, resource }: DecisionRequest): boolean {
  const waiting: unknown[] = [context.arguments, resource.attributes]
  let count = 0
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if ((count += 1) > MOST_VALUES) return false
    if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) waiting.push(each ?? null)
  }
  return true
}
