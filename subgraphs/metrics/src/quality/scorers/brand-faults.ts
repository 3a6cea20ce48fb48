import { comparable } from './comparable-text.ts'
import type { QualityCriteria } from './criteria.ts'
import type { Fault } from './dimension.ts'
import type { OutputToScore } from './output-to-score.ts'

const MARKUP = /<\/?[a-z][^>]{0,200}>|\]\(https?:|^#{1,6} /im
const PLACEHOLDER =
  /\{\{.{0,80}?\}\}|\[(?:name|your name|company|insert[^\]]{0,40}|order number)\]|lorem ipsum/i
// In capitals only: "todo" is a Spanish word.
const LEFT_TO_DO = /\b(?:TODO|FIXME|XXX)\b/

/** Is it in the house's form: banned and required phrases, markup and placeholders left in. */
export function brandFaults({ text }: OutputToScore, criteria: QualityCriteria): Fault[] {
  const words = comparable(text)
  const faults: Fault[] = []
  for (const phrase of criteria.bannedPhrases) {
    if (words.includes(comparable(phrase))) {
      faults.push({
        cost: 0.5,
        reason: `it says “${phrase}”, which is banned`,
        flag: 'banned_phrase',
        cap: 0.6,
      })
    }
  }
  for (const phrase of criteria.requiredPhrases) {
    if (!words.includes(comparable(phrase))) {
      faults.push({ cost: 0.3, reason: `it does not say “${phrase}”`, flag: 'missing_phrase', cap: 0.75 })
    }
  }
  if (MARKUP.test(text)) faults.push({ cost: 0.2, reason: 'markup was left in it', flag: 'markup' })
  if (PLACEHOLDER.test(text) || LEFT_TO_DO.test(text)) {
    faults.push({ cost: 0.6, reason: 'a placeholder was left in it', flag: 'placeholder', cap: 0.5 })
  }
  return faults
}
