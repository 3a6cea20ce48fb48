/** Hashed word and character n-grams of one message; the two kinds are weighed apart. */
export interface MessageFeatures {
  /** 32-bit hashes of words and pairs of neighbouring words → how often each occurs. */
  readonly words: ReadonlyMap<number, number>
  /** 32-bit hashes of 3 to 5 characters inside a word (its borders count as characters) → how often. */
  readonly characters: ReadonlyMap<number, number>
  /** The hashes of the single words alone, in order: what "how much of this do we know" is asked of. */
  readonly unigrams: readonly number[]
}

// What decides an intent stands in the first few hundred words; a message of 20,000 characters must
// not cost more than a long letter.
const MAX_CHARACTERS = 4000
const CHARACTER_SIZES = [3, 4, 5]
const WORD_SEED = 0x811c9dc5
const PAIR_SEED = 0x2f0b4c47
const CHARACTER_SEED = 0x5bd1e995
const PRIME = 0x01000193

function mix(hash: number, code: number): number {
  return Math.imul(hash ^ code, PRIME) >>> 0
}

function hashRange(text: string, from: number, to: number, seed: number): number {
  let hash = seed
  for (let index = from; index < to; index += 1) hash = mix(hash, text.charCodeAt(index))
  // FNV alone leaves the low bits of short strings weak, and the table is addressed by them.
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

/**
 * The words of a message: lower case, without accents (customers leave them out), every digit a `0`
 * so that an amount or a date is the same feature whatever its value.
 */
export function splitWords(text: string): string[] {
  const plain = text
    .slice(0, MAX_CHARACTERS)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[’`´]/g, "'")
    .replace(/\p{Nd}/gu, '0')
  return plain.match(/[\p{L}\p{N}]+(?:'[\p{L}]+)?|[?!€$£]/gu) ?? []
}

function count(into: Map<number, number>, hash: number): void {
  into.set(hash, (into.get(hash) ?? 0) + 1)
}

/** Extracts the features of one message; a message without words has none. */
export function extractFeatures(text: string): MessageFeatures {
  const words = new Map<number, number>()
  const characters = new Map<number, number>()
  const unigrams: number[] = []
  let before = PAIR_SEED
  for (const word of splitWords(text)) {
    const hash = hashRange(word, 0, word.length, WORD_SEED)
    count(words, hash)
    count(words, hashRange(`${before} ${word}`, 0, `${before} ${word}`.length, PAIR_SEED))
    before = hash
    if (!/[\p{L}\p{N}]/u.test(word)) continue
    unigrams.push(hash)
    const bordered = ` ${word} `
    for (const size of CHARACTER_SIZES) {
      for (let from = 0; from + size <= bordered.length; from += 1) {
        count(characters, hashRange(bordered, from, from + size, CHARACTER_SEED))
      }
    }
  }
  return { words, characters, unigrams }
}
