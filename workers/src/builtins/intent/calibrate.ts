import { fitProbability, probabilitiesOf } from './intent-model.ts'
import type { FitSigns, Rejection } from './intent-model.ts'

/** What a model that had not seen a message said of it. */
export interface HeldOut {
  readonly margins: Float64Array
  readonly signs: FitSigns
  /** The index of its true intent, -1 when it belongs to none. */
  readonly label: number
}

/** Share of the rightly classified messages that a model may lose to rejection, at most. */
const AFFORDABLE_LOSS = 0.04

/**
 * Fits the probability that a message belongs to the domain, by logistic regression on held-out
 * examples against background messages, both sides weighing the same. The threshold is one half,
 * lowered where that would cost more than four per cent of the right answers.
 */
export function calibrateRejection(held: readonly HeldOut[]): Rejection {
  const inside = held.filter((one) => one.label >= 0)
  const outside = held.filter((one) => one.label < 0)
  if (inside.length === 0 || outside.length === 0) {
    return { bias: 0, weights: [1, 0, 1], threshold: 0 }
  }
  const parameters = [0, 0, 0, 0]
  // Plain gradient descent on a convex function of four numbers; the signs are all of order one.
  for (let pass = 0; pass < 2000; pass += 1) {
    const gradient = parameters.map((value, index) => (index === 0 ? 0 : 1e-3 * value))
    for (const one of held) {
      const share = 1 / (one.label >= 0 ? inside.length : outside.length)
      const inputs = [1, ...one.signs]
      const sum = inputs.reduce((total, value, index) => total + value * (parameters[index] ?? 0), 0)
      const error = (1 / (1 + Math.exp(-sum)) - (one.label >= 0 ? 1 : 0)) * share
      inputs.forEach((value, index) => (gradient[index] = (gradient[index] ?? 0) + error * value))
    }
    gradient.forEach((value, index) => (parameters[index] = (parameters[index] ?? 0) - 1.5 * value))
  }
  const [bias = 0, margin = 0, domain = 0, coverage = 0] = parameters
  const fitted = { bias, weights: [margin, domain, coverage] as const }
  const rightly = inside
    .filter((one) => bestOf(one.margins) === one.label)
    .map((one) => fitProbability(fitted, one.signs))
    .sort((left, right) => left - right)
  const affordable = rightly[Math.floor(rightly.length * AFFORDABLE_LOSS)] ?? 0.5
  return { ...fitted, threshold: Math.min(0.5, affordable) }
}

/** Finds the sharpness under which the probabilities of held-out answers are most believable (log loss). */
export function calibrateSharpness(held: readonly HeldOut[]): number {
  let best = 4
  let least = Infinity
  for (let sharpness = 1; sharpness <= 12; sharpness += 0.5) {
    let loss = 0
    for (const { margins, label } of held) {
      if (label >= 0) loss -= Math.log((probabilitiesOf(margins, sharpness)[label] ?? 0) + 1e-9)
    }
    if (loss < least) {
      least = loss
      best = sharpness
    }
  }
  return best
}

/** The index of the largest margin. */
export function bestOf(margins: Float64Array): number {
  let best = 0
  margins.forEach((margin, index) => {
    if (margin > (margins[best] as number)) best = index
  })
  return best
}
