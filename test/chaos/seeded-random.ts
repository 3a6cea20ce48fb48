/** Numbers that follow from a seed alone. */
export interface SeededRandom {
  /** From 0, up to but not 1. */
  next(): number
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  /** The same values in another order. */
  shuffle<T>(values: readonly T[]): T[]
}

/** Mulberry32, of a 32-bit seed. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    between,
    shuffle(values) {
      const shuffled = [...values]
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = between(0, last)
        const moved = shuffled.splice(other, 1)
        shuffled.splice(last, 0, ...moved)
      }
      return shuffled
    },
  }
}
