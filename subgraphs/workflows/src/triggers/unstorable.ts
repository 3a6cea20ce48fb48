import { MOST_VALUE_BYTES } from '@tutti/schema'

/** Half a pair comes out of JSON as its escape; an escaped backslash before it is a backslash of the text. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

/** Lists and objects within each other. */
const MOST_DEPTH = 200

/** Why a JSON value cannot be kept, in words; null when it can. */
export function unstorable(value: unknown): string | null {
  if (isDeeper(value, MOST_DEPTH)) return `It is nested deeper than ${MOST_DEPTH} levels.`
  const json = JSON.stringify(value) ?? 'null'
  if (Buffer.byteLength(json) > MOST_VALUE_BYTES) return 'It is larger than 2 MiB.'
  if (UNSTORABLE.test(json))
    return 'It holds a NUL character or half of a surrogate pair, which cannot be stored.'
  return null
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1)))

/** Whether a text can be kept. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
