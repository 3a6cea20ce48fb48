import type { SparseVector } from './vocabulary.ts'

/** Settings of the linear support vector machines. */
export interface SvmOptions {
  /** Cost of an error against a simple model; larger fits the examples more closely. */
  readonly cost: number
  /** Passes over the examples at most. */
  readonly passes: number
  /** Stops when no example's gradient moves more than this. */
  readonly tolerance: number
}

/**
 * Trains one linear classifier a class (one against the rest) by dual coordinate descent with an
 * L2 loss and shrinking (Hsieh et al. 2008, what liblinear does). Returns the weights laid out
 * feature by feature, `weights[feature * classes + class]`, the last feature being the bias.
 * `labels[i] = -1` is an example of no class: it counts against all of them. The last class is the
 * domain itself: every example with a label against every one without.
 */
export function trainLinearSvm(
  rows: readonly SparseVector[],
  labels: Int32Array,
  classes: number,
  features: number,
  random: () => number,
  options: SvmOptions,
): Float32Array {
  const weights = new Float32Array((features + 1) * classes)
  const w = new Float64Array(features + 1)
  const alpha = new Float64Array(rows.length)
  const order = new Int32Array(rows.length)
  const half = 0.5 / options.cost
  const diagonal = Float64Array.from(rows, (row) => {
    let squares = 1 + half
    for (const value of row.values) squares += value * value
    return squares
  })
  for (let target = 0; target < classes; target += 1) {
    w.fill(0)
    alpha.fill(0)
    for (let i = 0; i < order.length; i += 1) order[i] = i
    let active = order.length
    let upper = Infinity
    for (let pass = 0; pass < options.passes; pass += 1) {
      let largest = -Infinity
      let smallest = Infinity
      for (let i = active - 1; i > 0; i -= 1) {
        const j = Math.floor(random() * (i + 1))
        const held = order[i] ?? 0
        order[i] = order[j] ?? 0
        order[j] = held
      }
      for (let place = 0; place < active; place += 1) {
        const i = order[place] ?? 0
        const row = rows[i]
        if (!row) continue
        const label = labels[i] as number
        const y = label === target || (target === classes - 1 && label >= 0) ? 1 : -1
        const { indexes, values } = row
        let margin = w[features] ?? 0
        for (let k = 0; k < indexes.length; k += 1) {
          margin += (w[indexes[k] as number] as number) * (values[k] as number)
        }
        const a = alpha[i] as number
        const gradient = y * margin - 1 + half * a
        let projected = gradient
        if (a === 0) {
          if (gradient > upper) {
            active -= 1
            order[place] = order[active] as number
            order[active] = i
            place -= 1
            continue
          }
          projected = Math.min(gradient, 0)
        }
        if (projected > largest) largest = projected
        if (projected < smallest) smallest = projected
        if (Math.abs(projected) < 1e-12) continue
        const next = Math.max(a - gradient / (diagonal[i] as number), 0)
        alpha[i] = next
        const step = (next - a) * y
        w[features] = (w[features] as number) + step
        for (let k = 0; k < indexes.length; k += 1) {
          const at = indexes[k] as number
          w[at] = (w[at] as number) + step * (values[k] as number)
        }
      }
      if (largest - smallest <= options.tolerance) {
        if (active === order.length) break
        active = order.length
        upper = Infinity
        continue
      }
      upper = largest <= 0 ? Infinity : largest
    }
    for (let k = 0; k <= features; k += 1) weights[k * classes + target] = w[k] as number
  }
  return weights
}
