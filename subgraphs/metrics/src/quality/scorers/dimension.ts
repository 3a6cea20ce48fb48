import type { DimensionName } from './criteria.ts'

/** One dimension's score (0 to 1) and what lowered it. */
export interface DimensionScore {
  readonly name: DimensionName
  readonly score: number
  readonly reasons: readonly string[]
}

/** A fault found: what it costs (0 to 1), in words, and optionally a flag and a cap on the confidence. */
export interface Fault {
  readonly cost: number
  readonly reason: string
  readonly flag?: string
  /** The confidence may not exceed this. */
  readonly cap?: number
}

/** A dimension's score from its faults: one minus their costs, never below zero. */
export function scoreOf(name: DimensionName, faults: readonly Fault[]): DimensionScore {
  const score = Math.max(0, 1 - faults.reduce((sum, fault) => sum + fault.cost, 0))
  return { name, score: Math.round(score * 1000) / 1000, reasons: faults.map((fault) => fault.reason) }
}
