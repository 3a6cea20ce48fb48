import type { SparseVector, Vocabulary } from './vocabulary.ts'
import { vectorise } from './vocabulary.ts'
import { extractFeatures } from './extract-features.ts'

/** How sure a model must be that a message fits one of its intents at all (a logistic function of three signs). */
export interface Rejection {
  readonly bias: number
  /** Weight of the best margin, of the margin of the domain as a whole, and of the share of known words. */
  readonly weights: readonly [margin: number, domain: number, coverage: number]
  /** Below this probability a message fits nothing. */
  readonly threshold: number
}

/** A trained intent classifier: typed arrays and numbers only, so that it crosses threads and files unchanged. */
export interface IntentModel {
  readonly kind: 'tutti-intent-model'
  readonly version: 1
  readonly intents: readonly string[]
  readonly vocabulary: Vocabulary
  /** `weights[feature * (intents + 1) + intent]`: the last column is the domain as a whole, the last feature the bias. */
  readonly weights: Float32Array
  /** Margins are multiplied by this before the softmax that makes probabilities of them. */
  readonly sharpness: number
  readonly rejection: Rejection
  /** How it was made, and how it did on examples held out while it was calibrated (shares, 0 to 1). */
  readonly report: {
    readonly examples: number
    readonly seconds: number
    readonly heldOutAccuracy: number
    readonly heldOutRejected: number
    readonly backgroundRejected: number
  }
}

/** What the linear classifiers say of one vector: a margin for every intent, and one for the domain. */
export interface Margins {
  readonly intents: Float64Array
  readonly domain: number
}

/** The margins of one vector under weights of `intents + 1` columns. */
export function marginsOf(
  weights: Float32Array,
  intents: number,
  features: number,
  vector: SparseVector,
): Margins {
  const columns = intents + 1
  const margins = new Float64Array(columns)
  for (let k = 0; k < columns; k += 1) margins[k] = weights[features * columns + k] as number
  for (let i = 0; i < vector.indexes.length; i += 1) {
    const base = (vector.indexes[i] as number) * columns
    const value = vector.values[i] as number
    for (let k = 0; k < columns; k += 1) {
      margins[k] = (margins[k] as number) + (weights[base + k] as number) * value
    }
  }
  return { intents: margins.subarray(0, intents), domain: margins[intents] as number }
}

/** The three signs that a message fits an intent: best margin, the domain's margin, share of known words. */
export type FitSigns = readonly [margin: number, domain: number, coverage: number]

/** Reads the signs off the margins of one message. */
export function fitSigns({ intents, domain }: Margins, coverage: number): FitSigns {
  return [intents.reduce((best, margin) => Math.max(best, margin), -Infinity), domain, coverage]
}

/** The probability (0 to 1) that a message with these signs fits one of the intents. */
export function fitProbability(rejection: Omit<Rejection, 'threshold'>, signs: FitSigns): number {
  let sum = rejection.bias
  rejection.weights.forEach((weight, index) => (sum += weight * (signs[index] ?? 0)))
  return 1 / (1 + Math.exp(-sum))
}

/** Probabilities of the classes among each other: a softmax over sharpened margins. */
export function probabilitiesOf(margins: Float64Array, sharpness: number): Float64Array {
  let best = -Infinity
  for (const margin of margins) best = Math.max(best, margin)
  const exponentials = margins.map((margin) => Math.exp(sharpness * (margin - best)))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}

/** The vector of a message under a model's vocabulary. */
export function vectorOf(vocabulary: Vocabulary, text: string): SparseVector {
  return vectorise(vocabulary, extractFeatures(text))
}
