import type { QualityAssessment } from './score-output.ts'

/** What another judge, such as a language model, says of the same output. */
export interface Judgement {
  readonly confidence: number
  readonly dimensions: readonly {
    readonly name: string
    readonly score: number
    readonly reasons: readonly string[]
  }[]
}

function within(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(1, value)) : 0
}

/**
 * Joins the rules' assessment with another judgement of it: that may lower a score, and never raise
 * one, so that no text can talk a model into letting it pass what the rules stop.
 */
export function mergeJudgement(rules: QualityAssessment, judgement: Judgement): QualityAssessment {
  const dimensions = rules.dimensions.map((dimension) => {
    const other = judgement.dimensions.find(({ name }) => name === dimension.name)
    if (!other || within(other.score) >= dimension.score) return dimension
    return { ...dimension, score: within(other.score), reasons: [...dimension.reasons, ...other.reasons] }
  })
  const confidence = Math.min(rules.confidence, within(judgement.confidence))
  const lowered = confidence < rules.confidence ? ['judged_lower'] : []
  const before = rules.dimensions.reduce((sum, { score }) => sum + score, 0)
  const after = dimensions.reduce((sum, { score }) => sum + score, 0)
  const overallScore = before === 0 ? 0 : Math.round(rules.overallScore * (after / before) * 1000) / 1000
  return { ...rules, dimensions, confidence, overallScore, flags: [...rules.flags, ...lowered] }
}
