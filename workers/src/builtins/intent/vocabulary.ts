import type { MessageFeatures } from './extract-features.ts'

/**
 * Which hashed features the model knows, and their weights. Plain typed arrays (an open-addressing
 * table over 32-bit hashes), so that a vocabulary moves between threads without being copied.
 */
export interface Vocabulary {
  /** Number of known features; indexes are 0 to size - 1. */
  readonly size: number
  /** Slot → hash; a power of two long. */
  readonly hashes: Uint32Array
  /** Slot → feature index plus one; 0 is an empty slot. */
  readonly indexes: Int32Array
  /** Feature index → inverse document frequency. */
  readonly idf: Float32Array
  /** The weight of a feature that is not known: that of one which occurred in no message. */
  readonly unseen: number
}

/** One message as a sparse vector, of unit length when all of its features are known. */
export interface SparseVector {
  readonly indexes: Int32Array
  readonly values: Float32Array
  /** Share of the message's words, weighed by their length in meaning (idf), that the model knows; 0 to 1. */
  readonly coverage: number
}

/** The feature's index, or -1 when the vocabulary does not know it. */
export function featureIndex(vocabulary: Vocabulary, hash: number): number {
  const mask = vocabulary.hashes.length - 1
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const index = vocabulary.indexes[slot] ?? 0
    if (index === 0) return -1
    if (vocabulary.hashes[slot] === hash) return index - 1
  }
}

/** Builds the vocabulary from all training messages; a feature of fewer than `minimum` messages is left out. */
export function buildVocabulary(messages: readonly MessageFeatures[], minimum: number): Vocabulary {
  const documents = new Map<number, number>()
  for (const { words, characters } of messages) {
    for (const hash of words.keys()) documents.set(hash, (documents.get(hash) ?? 0) + 1)
    for (const hash of characters.keys()) documents.set(hash, (documents.get(hash) ?? 0) + 1)
  }
  const kept = [...documents].filter(([, frequency]) => frequency >= minimum)
  let slots = 16
  while (slots < kept.length * 2) slots *= 2
  const vocabulary = {
    size: kept.length,
    hashes: new Uint32Array(slots),
    indexes: new Int32Array(slots),
    idf: new Float32Array(kept.length),
    unseen: Math.log(1 + messages.length) + 1,
  }
  kept.forEach(([hash, frequency], index) => {
    let slot = hash & (slots - 1)
    while (vocabulary.indexes[slot] !== 0) slot = (slot + 1) & (slots - 1)
    vocabulary.hashes[slot] = hash
    vocabulary.indexes[slot] = index + 1
    vocabulary.idf[index] = Math.log((1 + messages.length) / (1 + frequency)) + 1
  })
  return vocabulary
}

function weigh(vocabulary: Vocabulary, counts: ReadonlyMap<number, number>): [number, number][] {
  const weighed: [number, number][] = []
  let squares = 0
  for (const [hash, count] of counts) {
    const index = featureIndex(vocabulary, hash)
    const value = (1 + Math.log(count)) * (index < 0 ? vocabulary.unseen : (vocabulary.idf[index] ?? 0))
    // What the model does not know makes the rest count less: a stranger's message comes out short.
    squares += value * value
    if (index >= 0) weighed.push([index, value])
  }
  const norm = Math.sqrt(squares) || 1
  for (const pair of weighed) pair[1] /= norm
  return weighed
}

/** Turns features into the vector a model takes: words and characters each of unit length. */
export function vectorise(vocabulary: Vocabulary, features: MessageFeatures): SparseVector {
  const words = weigh(vocabulary, features.words)
  const characters = weigh(vocabulary, features.characters)
  const pairs = [...words, ...characters].sort((left, right) => left[0] - right[0])
  const norm = Math.sqrt((words.length > 0 ? 1 : 0) + (characters.length > 0 ? 1 : 0)) || 1
  let known = 0
  let all = 0
  for (const hash of features.unigrams) {
    const index = featureIndex(vocabulary, hash)
    const weight = index < 0 ? vocabulary.unseen : (vocabulary.idf[index] ?? 0)
    all += weight
    if (index >= 0) known += weight
  }
  return {
    indexes: Int32Array.from(pairs, ([index]) => index),
    values: Float32Array.from(pairs, ([, value]) => value / norm),
    coverage: all === 0 ? 0 : known / all,
  }
}
