/** Of the context: what was decided on, in no words. */
const MARKS = ['digest', 'previousDigest', 'round', 'version', 'previous', 'exceptionId']

/**
 * What of an entry's details is the organization's, as JSON: what was decided and on what exactly, which somebody who is
 * forgotten does not take with them. Words that say more, of them or of others, are not among it. Null: nothing.
 */
export function keptOf({ decision, context }: { decision?: unknown; context?: unknown }): string | null {
  const marks = Object.entries(Object(context)).filter(
    ([name, value]) => MARKS.includes(name) && isMark(value),
  )
  const kept = {
    ...(typeof decision === 'string' && /^[\w-]{1,64}$/.test(decision) ? { decision } : {}),
    ...(marks.length === 0 ? {} : { context: Object.fromEntries(marks) }),
  }
  return Object.keys(kept).length === 0 ? null : JSON.stringify(kept)
}

/** A count, a digest or an id. */
const isMark = (value: unknown): boolean =>
  Number.isSafeInteger(value) || (typeof value === 'string' && /^[0-9a-f-]{36,64}$/.test(value))
