import type { ModelPrice } from './model.ts'

/** Tokens of one call; cached ones are among the input. */
export interface Tokens {
  input: number
  output: number
  cached: number
}

/** A decimal text of US dollars in millionths. */
function micros(usd: string): bigint {
  const [whole = '0', part = ''] = usd.split('.')
  return BigInt(whole) * 1_000_000n + BigInt(part.padEnd(6, '0'))
}

/**
 * What a call costs: US dollars as a decimal text of twelve places, exact, since prices have six places and are of a
 * million tokens. Prices have at most six places.
 */
export function costOf(price: ModelPrice, { input, output, cached }: Tokens): string {
  const fromCache = Math.min(cached, input)
  const picos =
    BigInt(input - fromCache) * micros(price.inputUsd) +
    BigInt(fromCache) * micros(price.cachedUsd) +
    BigInt(output) * micros(price.outputUsd)
  const digits = String(picos).padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`
}
