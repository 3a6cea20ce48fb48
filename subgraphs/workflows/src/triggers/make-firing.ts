import { createHash } from 'node:crypto'
import { canonicalJson, isRecord } from '@tutti/schema'
import { isStorableText, unstorable } from './unstorable.ts'
import { FACT_OF, storedExpression, type TriggerRow } from './trigger-row.ts'

/** What a firing starts its run with, or why it cannot. */
export type MadeFiring = { occurrence: string } & (
  | { input: Record<string, unknown>; error: null }
  | { input: null; error: { code: string; message: string } }
)

const LONGEST_KEY = 200

type Making = Pick<TriggerRow, 'kind' | 'input' | 'expressions' | 'idempotencyKey'>

/**
 * A firing of a trigger by what fired it: a webhook's payload, an event's facts, a schedule's time. `occurrence` names
 * it, unless the trigger has a key of its own. The same fact makes the same firing.
 */
export function makeFiring(trigger: Making, fact: unknown, occurrence: string): MadeFiring {
  const names = { [FACT_OF[trigger.kind]]: fact }
  const key = keyOf(trigger.idempotencyKey, names)
  if (!key.ok) return failed(occurrence, `idempotencyKey: ${key.message}`)
  const named = key.value ?? occurrence
  const values: [string, unknown][] = []
  for (const [name, text] of Object.entries(trigger.expressions ?? {})) {
    const outcome = storedExpression(text).evaluate(names)
    if (!outcome.ok) return failed(named, `expressions.${name}: ${outcome.message}`)
    values.push([name, outcome.value])
  }
  const isMapped = trigger.input !== null || trigger.expressions !== null
  // Defined, not assigned: a payload may hold a name `__proto__`.
  const input = { ...(isMapped ? trigger.input : defaultInput(trigger, fact)), ...Object.fromEntries(values) }
  const problem = unstorable(input)
  return problem === null ? { occurrence: named, input, error: null } : failed(named, problem)
}

/** What fired it, as an object of names. */
function defaultInput({ kind }: Making, fact: unknown): Record<string, unknown> {
  if (kind === 'schedule') return {}
  if (kind === 'webhook') return isRecord(fact) ? fact : { payload: fact }
  const data = isRecord(fact) && 'data' in fact ? fact['data'] : fact
  return isRecord(data) ? data : { data }
}

/** Null where the trigger has no key, or the key's value is null. */
function keyOf(
  text: string | null,
  names: Record<string, unknown>,
): { ok: true; value: string | null } | { ok: false; message: string } {
  if (text === null) return { ok: true, value: null }
  const outcome = storedExpression(text).evaluate(names)
  if (!outcome.ok) return outcome
  if (outcome.value === null) return { ok: true, value: null }
  const value = typeof outcome.value === 'string' ? outcome.value : canonicalJson(outcome.value)
  const short = value.length <= LONGEST_KEY && isStorableText(value)
  return { ok: true, value: `key:${short ? value : createHash('sha256').update(value).digest('base64url')}` }
}

const failed = (occurrence: string, message: string): MadeFiring => ({
  occurrence,
  input: null,
  error: { code: 'TRIGGER_INPUT_FAILED', message },
})
