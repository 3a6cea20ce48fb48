import { isId } from '@tutti/runtime'
import { z } from 'zod'

/** What is said of a text that PostgreSQL cannot store. */
export const UNSTORABLE = 'Holds a NUL character, which cannot be stored.'

// Half a surrogate pair, as cutting a text leaves it, becomes U+FFFD here rather than somewhere on the way to disk.
const storable = (most: number) =>
  z
    .string()
    .max(most, `At most ${most} characters.`)
    .refine((value) => !value.includes('\0'), UNSTORABLE)
    .transform((value) => value.toWellFormed())

const notEmpty = (value: string): boolean => value.trim() !== ''

/** A line that must say something: trimmed, 200 characters unless said. */
export const line = (most = 200) =>
  storable(most)
    .refine(notEmpty, 'Must not be empty.')
    .transform((value) => value.trim())

/** Several lines that must say something: 10,000 characters. */
export const prose = () => line(10_000)

/** Several lines that may be empty: 10,000 characters. */
export const remark = () => storable(10_000)

/** An id of another entity, where none is fine. */
export const optionalId = () => z.string().refine(isId, 'That is not an id.').nullish()

/** What something is looked for by: no text that is stored holds a NUL, and PostgreSQL refuses to compare with one. */
export const findable = (text: string): string => (text.includes('\0') ? '' : text)
