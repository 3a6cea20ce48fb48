/** Where an answer of a model may be kept, nearest first. */
export const CACHE_LEVELS = ['memory', 'redis', 'database'] as const
export type CacheLevel = (typeof CACHE_LEVELS)[number]

/** How far answers may be kept: nowhere, or up to a level. */
export type CacheReach = 'off' | CacheLevel

/** An answer that is kept, and what it took when it was given. */
export interface KeptResponse {
  text: string
  inputTokens: number
  outputTokens: number
  /** US dollars, a decimal text. */
  costUsd: string
}

/** Whose answer it is. */
export interface ResponseOrigin {
  modelId: string
  /** Of the call that it answered first; null: of no agent. */
  agentId: string | null
}

/** The nearer of them. */
export function nearest(...reaches: readonly CacheReach[]): CacheReach {
  const order: readonly CacheReach[] = ['off', ...CACHE_LEVELS]
  return order[Math.min(...reaches.map((reach) => order.indexOf(reach)))] ?? 'off'
}
