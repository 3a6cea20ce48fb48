import { fail } from '@tutti/schema'

/** The longest text of a value that is stored, in bytes. */
export const MOST_BYTES = 1024 * 1024

/** Checks a value that is to be stored: at most 1 MiB, no NUL, no half a character. BAD_INPUT otherwise. */
export function readJson(value: unknown, path: string): unknown {
  const text = JSON.stringify(value) ?? 'null'
  if (Buffer.byteLength(text) > MOST_BYTES)
    fail('BAD_INPUT', { path, message: `The value is larger than ${MOST_BYTES} bytes.` })
  if (/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/i.test(text))
    fail('BAD_INPUT', {
      path,
      message: 'Holds a NUL character or half a character, which PostgreSQL cannot store.',
    })
  return value ?? null
}
