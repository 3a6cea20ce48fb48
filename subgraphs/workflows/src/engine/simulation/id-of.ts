/** An id that stands for a word of a few letters: of a workflow, its only version, an agent. */
export const idOf = (word: string): string =>
  `00000000-0000-4000-8000-${Buffer.from(word).toString('hex').padStart(12, '0')}`

/** As UUIDs of version 7 grow: with the clock of who makes them, and then with their number. */
export function timeId(ms: number, maker: number, number: number): string {
  const time = Math.floor(ms).toString(16).padStart(12, '0')
  const [high, low] = [time.slice(0, 8), time.slice(8)]
  return `${high}-${low}-7${hex(maker, 3)}-8000-${hex(number, 12)}`
}

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0')
