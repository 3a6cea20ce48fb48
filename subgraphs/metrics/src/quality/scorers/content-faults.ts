import { comparable, meaningfulStems } from './comparable-text.ts'
import type { QualityCriteria } from './criteria.ts'
import type { Fault } from './dimension.ts'
import type { OutputToScore } from './output-to-score.ts'

const TOO_SHORT = 40

/** How surely a reply answers, when nobody who matched it says so: the share of the question's words it takes up. */
function taken(question: string, text: string): number {
  const wanted = meaningfulStems(question)
  if (wanted.length === 0) return 0
  const given = comparable(text)
  return Math.min(1, wanted.filter((stem) => given.includes(stem)).length / wanted.length + 0.35)
}

/** Does it answer: empty, too short or long, questions left open, a question it takes nothing of. */
export function contentFaults(output: OutputToScore, criteria: QualityCriteria): Fault[] {
  const text = output.text.trim()
  if (!/[\p{L}\p{N}]/u.test(text)) {
    return [{ cost: 1, reason: 'the output is empty', flag: 'empty_output', cap: 0 }]
  }
  const faults: Fault[] = []
  if (text.length < TOO_SHORT) {
    faults.push({ cost: 0.4, reason: `it has only ${text.length} characters`, flag: 'too_short', cap: 0.7 })
  }
  if (text.length > criteria.maximumCharacters) {
    faults.push({
      cost: 0.3,
      reason: `it is longer than ${criteria.maximumCharacters} characters`,
      flag: 'too_long',
    })
  }
  const asked = output.question
  if (asked !== undefined && !/[\p{L}\p{N}]/u.test(asked)) {
    faults.push({ cost: 0.6, reason: 'the question is empty', flag: 'empty_question', cap: 0.3 })
    return faults
  }
  const open = output.unanswered?.length ?? 0
  if (open > 0) {
    const cap = open > 1 ? 0.5 : 0.7
    const reason = `${open} question${open > 1 ? 's are' : ' is'} not answered`
    faults.push({ cost: Math.min(0.6, 0.25 * open), reason, flag: 'unanswered_questions', cap })
  }
  if (output.sources?.length === 0) {
    faults.push({ cost: 0.5, reason: 'no source was found to answer from', flag: 'no_sources', cap: 0.5 })
  }
  const given = output.answerConfidence
  const sure =
    given !== undefined && Number.isFinite(given)
      ? Math.max(0, Math.min(1, given))
      : asked === undefined
        ? 1
        : taken(asked, text)
  if (sure < 1) {
    const weak = sure < 0.6
    faults.push({
      cost: 0.7 * (1 - sure),
      reason: `it answers the question with ${Math.round(sure * 100)} % certainty`,
      // From 0.72 upwards a matched answer may go out by itself; the scale is linear from there to the bottom.
      cap: 0.28 + 0.72 * sure,
      ...(weak ? { flag: 'does_not_answer' } : {}),
    })
  }
  return faults
}
