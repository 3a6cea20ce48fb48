import { brandFaults } from './brand-faults.ts'
import { contentFaults } from './content-faults.ts'
import { DEFAULT_CRITERIA, DIMENSIONS } from './criteria.ts'
import type { DimensionName } from './criteria.ts'
import { scoreOf } from './dimension.ts'
import type { DimensionScore, Fault } from './dimension.ts'
import { factFaults } from './fact-faults.ts'
import type { OutputToScore } from './output-to-score.ts'
import { safetyFaults } from './safety-faults.ts'
import { toneFaults } from './tone-faults.ts'

/** What the rules say of an output. */
export interface QualityAssessment {
  /** How sure one may be that it can go out without a person, 0 to 1: the overall score, capped by the gravest faults. */
  readonly confidence: number
  readonly overallScore: number
  readonly dimensions: readonly DimensionScore[]
  /** What to do about it, when the overall score or the confidence is below the minimum. */
  readonly recommendations: readonly string[]
  readonly flags: readonly string[]
  readonly criteriaVersion: number
}

const RECOMMENDATIONS: Record<DimensionName, string> = {
  content_quality: 'Answer what is asked, or add an article to the knowledge base that does.',
  brand_alignment: 'Keep to the form of a reply: greeting, required phrases, none of the banned ones.',
  factual_accuracy: 'State only what the sources say: check numbers, amounts, links and promises.',
  tone_consistency: 'Write politely and calmly, and be sorry where the customer has reason to complain.',
  safety_compliance: 'Let a person decide: the message or the reply touches what no rule may decide.',
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

/**
 * Judges an output by rules, without a model: does it answer, its form, unsupported claims, tone, and
 * safety with personal data and orders smuggled in. Pure, never throws, every score is within 0 and 1.
 */
export function scoreOutput(output: OutputToScore): QualityAssessment {
  const criteria = output.criteria ?? DEFAULT_CRITERIA
  const faults: Record<DimensionName, Fault[]> = {
    content_quality: contentFaults(output, criteria),
    brand_alignment: brandFaults(output, criteria),
    factual_accuracy: factFaults(output, criteria),
    tone_consistency: toneFaults(output),
    safety_compliance: safetyFaults(output, criteria),
  }
  const dimensions = DIMENSIONS.map((name) => scoreOf(name, faults[name]))
  const total = DIMENSIONS.reduce((sum, name) => sum + criteria.weights[name], 0)
  const weighted = dimensions.reduce((sum, { name, score }) => sum + score * criteria.weights[name], 0)
  const overallScore = total === 0 ? 0 : round(Math.min(1, weighted / total))
  const all = Object.values(faults).flat()
  const cap = all.reduce((least, fault) => Math.min(least, fault.cap ?? 1), 1)
  const confidence = round(Math.max(0, Math.min(overallScore, cap)))
  const lacking = overallScore < criteria.minimumScore || confidence < criteria.minimumScore
  return {
    confidence,
    overallScore,
    dimensions,
    recommendations: lacking
      ? dimensions.filter(({ reasons }) => reasons.length > 0).map(({ name }) => RECOMMENDATIONS[name])
      : [],
    flags: [...new Set(all.flatMap((fault) => fault.flag ?? []))],
    criteriaVersion: criteria.version,
  }
}
