import type { QualityCriteria } from './criteria.ts'

/** An output and what is known of how it came about. Only `text` is needed. */
export interface OutputToScore {
  readonly text: string
  /** What it answers; an empty string is a question that was empty. */
  readonly question?: string
  /** What it was made of; an empty list means that nothing was found, undefined that nobody says. */
  readonly sources?: readonly { readonly id: string; readonly title: string; readonly body: string }[]
  /** Questions that the writer itself says it does not answer. */
  readonly unanswered?: readonly string[]
  /** How surely the sources answer the question, 0 to 1, by whoever matched them. */
  readonly answerConfidence?: number
  /** What the writer noted, such as `orders_to_agent` or `empty_message`. */
  readonly notes?: readonly string[]
  readonly criteria?: QualityCriteria
}
