import { createHash } from 'node:crypto'
import { canonicalJson } from '@tutti/schema'
import { type CompiledExpression, compileExpression, type WorkflowDefinition } from '../definitions/index.ts'

const LONGEST = 200
const compiled = new WeakMap<object, CompiledExpression | null>()

/**
 * What a run counts under when its definition limits runs by key: the key's value over the run's input, as text (a long
 * one as its hash). Null without such a limit. Runs whose input has no value for it count together, under the empty key.
 */
export function limitKeyOf(
  { concurrency }: Pick<WorkflowDefinition, 'concurrency'>,
  input: Readonly<Record<string, unknown>>,
): string | null {
  if (concurrency?.key === undefined) return null
  let expression = compiled.get(concurrency)
  if (expression === undefined) {
    const result = compileExpression(concurrency.key)
    expression = result.ok ? result.expression : null
    compiled.set(concurrency, expression)
  }
  const outcome = expression?.evaluate(input)
  return outcome?.ok ? textOf(outcome.value) : ''
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : canonicalJson(value)
  if (text.length <= LONGEST && !text.includes('\0') && text.isWellFormed()) return text
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
