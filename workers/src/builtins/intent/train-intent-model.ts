import { BACKGROUND_MESSAGES } from './background-messages.ts'
import { bestOf, calibrateRejection, calibrateSharpness } from './calibrate.ts'
import type { HeldOut } from './calibrate.ts'
import { extractFeatures } from './extract-features.ts'
import type { MessageFeatures } from './extract-features.ts'
import { fitProbability, fitSigns, marginsOf } from './intent-model.ts'
import type { IntentModel } from './intent-model.ts'
import { ExamplesError } from './load-examples.ts'
import type { IntentExample } from './load-examples.ts'
import { seededRandom, shuffled } from './seeded-random.ts'
import { trainLinearSvm } from './train-linear-svm.ts'
import { buildVocabulary, vectorise } from './vocabulary.ts'
import type { SparseVector, Vocabulary } from './vocabulary.ts'

/** Settings of a training; the defaults are what the bench measures. */
export interface TrainOptions {
  /** Seed of every order drawn; the same examples and seed give the same model. */
  readonly seed?: number
  /** Cost of a training error, see {@link trainLinearSvm}. */
  readonly cost?: number
}

interface Item {
  readonly features: MessageFeatures
  readonly label: number
}

// Above this many examples one fifth held out says enough, and five trainings would cost too long.
const ENOUGH_TO_HOLD_OUT_ONCE = 2500
const FOLDS = 5
const RESEMBLES = 0.45

function fit(
  items: readonly Item[],
  background: readonly Item[],
  classes: number,
  seed: number,
  cost: number,
) {
  const messages = items.map((item) => item.features)
  const vocabulary = buildVocabulary(messages, items.length > 1000 ? 2 : 1)
  const all = [...items, ...background]
  const rows = all.map((item) => vectorise(vocabulary, item.features))
  const labels = Int32Array.from(all, (item) => item.label)
  const weights = trainLinearSvm(rows, labels, classes + 1, vocabulary.size, seededRandom(seed), {
    cost,
    passes: 30,
    tolerance: 0.1,
  })
  return { vocabulary, weights, rows }
}

function hold(
  items: readonly Item[],
  vocabulary: Vocabulary,
  weights: Float32Array,
  classes: number,
): HeldOut[] {
  return items.map(({ features, label }) => {
    const vector = vectorise(vocabulary, features)
    const margins = marginsOf(weights, classes, vocabulary.size, vector)
    return { margins: margins.intents, signs: fitSigns(margins, vector.coverage), label }
  })
}

/** Background messages that look like none of the examples (cosine of their vectors). */
function unlikeAny(items: readonly Item[], background: readonly Item[]): Item[] {
  const vocabulary = buildVocabulary(
    items.map((item) => item.features),
    1,
  )
  const postings: { row: number; value: number }[][] = Array.from({ length: vocabulary.size }, () => [])
  items.forEach((item, row) => {
    const { indexes, values } = vectorise(vocabulary, item.features)
    indexes.forEach((index, at) => postings[index]?.push({ row, value: values[at] ?? 0 }))
  })
  const closeness = new Float32Array(items.length)
  return background.filter((item) => {
    const vector: SparseVector = vectorise(vocabulary, item.features)
    closeness.fill(0)
    vector.indexes.forEach((index, at) => {
      for (const { row, value } of postings[index] ?? []) {
        closeness[row] = (closeness[row] ?? 0) + value * (vector.values[at] ?? 0)
      }
    })
    return closeness.every((cosine) => cosine * vector.coverage < RESEMBLES)
  })
}

/**
 * Trains an intent classifier from labelled messages: word and character n-grams weighed by TF-IDF,
 * one linear SVM an intent, and a calibrated "fits nothing". Blocks its thread (3 to 6 s for 8,000
 * messages of 77 intents): use {@link intentModelFor} where others wait. Throws {@link ExamplesError}
 * for fewer than two intents.
 */
export function trainIntentModel(
  examples: readonly IntentExample[],
  { seed = 7, cost = 1 }: TrainOptions = {},
): IntentModel {
  const started = performance.now()
  const intents = [...new Set(examples.map((example) => example.intent))].sort()
  if (intents.length < 2) {
    throw new ExamplesError(`examples name ${intents.length} intent(s); a classifier needs at least two`)
  }
  const classOf = new Map(intents.map((intent, index) => [intent, index]))
  const items = shuffled(examples, seededRandom(seed)).map(({ text, intent }) => ({
    features: extractFeatures(text),
    label: classOf.get(intent) ?? -1,
  }))
  const outside = shuffled(BACKGROUND_MESSAGES, seededRandom(seed + 1)).map((text) => ({
    features: extractFeatures(text),
    label: -1,
  }))
  const background = unlikeAny(items, outside)

  const held: HeldOut[] = []
  const folds = items.length > ENOUGH_TO_HOLD_OUT_ONCE ? 1 : FOLDS
  for (let fold = 0; fold < folds; fold += 1) {
    const kept = (_: Item, index: number): boolean => index % FOLDS !== fold
    const left = (_: Item, index: number): boolean => index % FOLDS === fold
    const { vocabulary, weights } = fit(
      items.filter(kept),
      background.filter(kept),
      intents.length,
      seed,
      cost,
    )
    held.push(...hold(items.filter(left), vocabulary, weights, intents.length))
    held.push(...hold(background.filter(left), vocabulary, weights, intents.length))
  }
  const rejection = calibrateRejection(held)
  const rejected = (one: HeldOut): boolean => fitProbability(rejection, one.signs) < rejection.threshold
  const inside = held.filter((one) => one.label >= 0)
  const others = held.filter((one) => one.label < 0)

  const { vocabulary, weights } = fit(items, background, intents.length, seed, cost)
  return {
    kind: 'tutti-intent-model',
    version: 1,
    intents,
    vocabulary,
    weights,
    sharpness: calibrateSharpness(held),
    rejection,
    report: {
      examples: examples.length,
      seconds: (performance.now() - started) / 1000,
      heldOutAccuracy: inside.filter((one) => bestOf(one.margins) === one.label).length / inside.length,
      heldOutRejected: inside.filter(rejected).length / inside.length,
      backgroundRejected: others.length === 0 ? 1 : others.filter(rejected).length / others.length,
    },
  }
}
