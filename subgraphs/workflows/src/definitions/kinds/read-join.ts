import type { Join, OnFailure } from '../definition.ts'
import type { Fields } from '../read-fields.ts'
import { kindOf } from '../tree.ts'
import { oneOf } from './schema-parts.ts'

/** When the branches or items are enough. */
export const JOIN_SCHEMA = {
  description: 'How many must arrive before it goes on: all (when absent), any, or a number.',
  anyOf: [{ enum: ['all', 'any'] }, { type: 'integer', minimum: 1 }],
} as const

/** What a branch or item that fails does. */
export const ON_FAILURE_SCHEMA = oneOf(
  ['fail', 'collect'],
  'A branch or item that fails for good fails the whole (fail, when absent) or counts as a result (collect).',
)

/** Reads `join: all | any | <number>` and `on_failure: fail | collect`; `most` can arrive at all, if that is known. */
export function readJoin(fields: Fields, most: number | undefined): { join: Join; onFailure: OnFailure } {
  return {
    join: readMode(fields, most),
    onFailure: fields.choice('on_failure', ['fail', 'collect']) ?? 'fail',
  }
}

function readMode(fields: Fields, most: number | undefined): Join {
  const value = fields.take('join')?.value
  if (!value) return { mode: 'all' }
  const written = value.kind === 'scalar' ? value.value : undefined
  if (written === 'all' || written === 'any') return { mode: written }
  if (typeof written !== 'number' || !Number.isInteger(written)) {
    fields.problems.add(
      'wrong_type',
      value,
      `"join" must be all, any or a whole number, not ${kindOf(value)}.`,
      'join: 2 goes on when two have arrived.',
    )
    return { mode: 'all' }
  }
  if (written < 1 || (most !== undefined && written > most))
    fields.problems.add(
      'impossible_join',
      value,
      written < 1
        ? `A join of ${written} waits for nothing.`
        : `${written} should arrive, but there are only ${most}: the join would never be met.`,
      most === undefined ? 'Write 1 or more, all or any.' : `Write a number from 1 to ${most}, all or any.`,
    )
  return { mode: 'count', count: written }
}

/** A join as it is written; undefined for the usual one. */
export function writeJoin({ join, onFailure }: { join: Join; onFailure: OnFailure }): {
  join: unknown
  on_failure: unknown
} {
  return {
    join: join.mode === 'all' ? undefined : join.mode === 'any' ? 'any' : join.count,
    on_failure: onFailure === 'fail' ? undefined : onFailure,
  }
}
