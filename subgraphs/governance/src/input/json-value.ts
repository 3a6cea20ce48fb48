import { MOST_ASKED_BYTES, MOST_ASKED_LEVELS } from '@tutti/schema'
import { z } from 'zod'
import { UNSTORABLE } from './text.ts'

/**
 * A JSON value that PostgreSQL can store: at most 256 KiB and 64 levels, no NUL. What comes out is what JSON keeps of
 * it (no undefined), with half surrogate pairs replaced, so that a digest of it is a digest of what is stored.
 */
export const jsonValue = () =>
  z.unknown().transform((value, check) => {
    const mistake = findMistake(value, 0) ?? findExcess(value)
    if (mistake === undefined) return parse(JSON.stringify(value, wellFormed))
    check.addIssue({ code: 'custom', message: mistake })
    return z.NEVER
  })

/** A JSON object under the same limits. */
export const jsonObject = () =>
  jsonValue().pipe(z.record(z.string(), z.unknown(), { error: 'Must be a JSON object.' }))

const parse = (text: string): unknown => JSON.parse(text)

function wellFormed(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toWellFormed(), each]))
}

function findMistake(value: unknown, level: number): string | undefined {
  if (level > MOST_ASKED_LEVELS) return `Nested deeper than ${MOST_ASKED_LEVELS} levels.`
  if (typeof value === 'string') return value.includes('\0') ? UNSTORABLE : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'Holds a number out of range.'
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, each] of Object.entries(value)) {
    if (key.includes('\0')) return UNSTORABLE
    const mistake = findMistake(each, level + 1)
    if (mistake !== undefined) return mistake
  }
  return undefined
}

function findExcess(value: unknown): string | undefined {
  const text = JSON.stringify(value)
  if (text === undefined) return 'Must be a JSON value.'
  return Buffer.byteLength(text) > MOST_ASKED_BYTES
    ? `At most ${MOST_ASKED_BYTES / 1024} KiB of JSON.`
    : undefined
}
