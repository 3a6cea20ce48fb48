import { compileExpression } from '@tutti/runtime/expressions'
import type { NoExpression } from '@tutti/runtime/expressions'

/** A condition parsed once. */
export type Condition = {
  readonly text: string
  /** The names it reads from trigger payload and outputs. */
  readonly variables: readonly string[]
  /** Never throws: an error of evaluation, or a result that is not a boolean, is an outcome. */
  evaluate(names: Readonly<Record<string, unknown>>): ConditionOutcome
}

/** What became of a condition. */
export type ConditionOutcome =
  | { readonly ok: true; readonly value: boolean }
  | { readonly ok: false; readonly message: string }

/** A parsed condition, or why it is none. */
export type CompiledCondition = { readonly ok: true; readonly condition: Condition } | NoExpression

/** Parses a CEL condition: an expression whose result is a boolean, with the same refusals. */
export function compileCondition(text: string): CompiledCondition {
  const compiled = compileExpression(text, 'boolean')
  if (!compiled.ok) return compiled
  const { variables, evaluate } = compiled.expression
  return {
    ok: true,
    condition: {
      text,
      variables,
      evaluate: (names) => {
        const outcome = evaluate(names)
        return outcome.ok ? { ok: true, value: outcome.value === true } : outcome
      },
    },
  }
}
