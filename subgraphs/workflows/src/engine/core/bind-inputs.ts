import type { ExpressionOutcome, InputBinding } from '../../definitions/index.ts'

/** What a step is given, or the first expression that could not be evaluated. */
export type BoundInputs =
  | { readonly ok: true; readonly input: Record<string, unknown> }
  | { readonly ok: false; readonly message: string }

/**
 * What a step is given: each parameter's value, null where nothing produced it on this path. `lookUp` reads a name,
 * `evaluate` an expression.
 */
export function bindInputs(
  bindings: readonly InputBinding[],
  lookUp: (name: string) => unknown,
  evaluate: (text: string) => ExpressionOutcome,
): BoundInputs {
  const input: [string, unknown][] = []
  for (const binding of bindings) {
    if ('path' in binding) {
      const [name = '', ...fields] = binding.path
      input.push([binding.param, fields.reduce<unknown>(fieldOf, lookUp(name))])
      continue
    }
    const outcome = evaluate(binding.value)
    if (!outcome.ok) return { ok: false, message: `${binding.param}: ${outcome.message}` }
    input.push([binding.param, outcome.value])
  }
  return { ok: true, input: Object.fromEntries(input) }
}

function fieldOf(value: unknown, field: string): unknown {
  return isObject(value) && Object.hasOwn(value, field) ? (value[field] ?? null) : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
