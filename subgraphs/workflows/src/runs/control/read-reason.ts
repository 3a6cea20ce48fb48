import { fail } from '@tutti/schema'

const MOST = 2_000

/** Checks why somebody acts: at most 2,000 characters, BAD_INPUT otherwise; an empty one is none. */
export function readReason(reason: string | null | undefined, path = 'input.reason'): string | null {
  const text = reason?.trim() ?? ''
  if (text.length > MOST) fail('BAD_INPUT', { path, message: `A reason has at most ${MOST} characters.` })
  if (text.includes('\0'))
    fail('BAD_INPUT', { path, message: 'Holds a NUL character, which cannot be stored.' })
  return text === '' ? null : text
}
