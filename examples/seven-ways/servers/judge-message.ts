/** How a customer may feel; what the built-in function says, too. */
export type Label = 'angry' | 'negative' | 'positive' | 'neutral'

const WORDS: readonly (readonly [Label, RegExp])[] = [
  ['angry', /outrageous|lawyer|unacceptable/i],
  ['negative', /broken|late|nobody|wrong/i],
  ['positive', /thank|wonderful|great|love/i],
]

/** How the writer of a message feels, by a few words: what stands behind each server of this example. */
export const judgeMessage = (text: string): Label =>
  WORDS.find(([, words]) => words.test(text))?.[0] ?? 'neutral'
