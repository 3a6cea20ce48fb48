import { contentStems, plain } from './content-words.ts'
import type { CustomerQuestion } from './find-questions.ts'

/** An article as the knowledge retriever found it. */
export interface FoundArticle {
  readonly id: string
  readonly title: string
  readonly body: string
  /** How well the search says it fits; only compared with the other articles' scores. */
  readonly score: number
  readonly language?: string | null
  readonly tags?: readonly string[]
  /** Intents that the article answers. */
  readonly intents?: readonly string[]
}

/** The intent a message was classified as, with its probability. */
export interface KnownIntent {
  readonly intent: string | null
  readonly confidence: number
}

/** An article that answers a question, and how surely (0 to 1). */
export interface Match {
  readonly article: FoundArticle
  readonly strength: number
  /** Share of the question's meaningful words that the article has, 0 to 1. */
  readonly overlap: number
}

/** An article with its words made comparable, once a message. */
export interface PreparedArticle {
  readonly article: FoundArticle
  readonly all: string
  readonly head: string
  readonly relative: number
}

/** Prepares the articles for matching; the order of the search is kept. */
export function prepareArticles(articles: readonly FoundArticle[]): PreparedArticle[] {
  const best = articles.reduce((most, article) => Math.max(most, article.score), 0)
  return articles.map((article) => {
    const head = plain(
      `${article.title} ${(article.tags ?? []).join(' ')} ${(article.intents ?? []).join(' ').replace(/_/g, ' ')}`,
    )
    return {
      article,
      head,
      all: `${head} ${plain(article.body)}`,
      relative: best > 0 ? article.score / best : 0,
    }
  })
}

// Compound words ("Retourenlabel") hold the stem inside; a short stem inside a word is chance.
const INSIDE_LENGTH = 5

// What the classifier says fits nothing may still be asked in the words of an article; by chance more often.
const STRANGER = 0.7
// ... and what it takes for something else is more often about that.
const OTHER_SUBJECT = 0.85
// Chosen on the example's messages and on 500 of a bank's, to which a coffee shop has no answer: without a
// known intent, words have to agree this much more.
const WORDS_ALONE = 1.3
const ENOUGH_OVERLAP = 0.6

function has(text: string, stem: string): boolean {
  if (stem.length >= INSIDE_LENGTH) return text.includes(stem)
  let from = text.indexOf(stem)
  while (from >= 0) {
    const before = text[from - 1] ?? ' '
    if (!/\p{L}/u.test(before)) return true
    from = text.indexOf(stem, from + 1)
  }
  return false
}

/** Whether the article answers one of this intent: by its list of intents, or its head naming all of the intent's words. */
function answersIntent({ article, head }: PreparedArticle, intent: string): boolean {
  if (article.intents && article.intents.length > 0) return article.intents.includes(intent)
  const stems = contentStems(intent.replace(/[_-]+/g, ' '))
  return stems.length > 0 && stems.every((stem) => has(head, stem))
}

/** Share of the stems that a text has; few stems are weak evidence even when all are found. */
function share(text: string, stems: readonly string[]): number {
  return stems.length === 0 ? 0 : stems.filter((stem) => has(text, stem)).length / (stems.length + 0.5)
}

/** The article that answers a question best, with its strength; none when no article has anything of it. `only`: the message asks nothing else. */
export function matchQuestion(
  question: CustomerQuestion,
  articles: readonly PreparedArticle[],
  intent: KnownIntent | undefined,
  only: boolean,
): Match | undefined {
  const sentence = contentStems(question.text)
  const context = contentStems(question.context)
  let best: Match | undefined
  for (const prepared of articles) {
    const overlap = Math.max(share(prepared.all, sentence), share(prepared.all, context))
    const heading = Math.max(share(prepared.head, sentence), share(prepared.head, context))
    const words = WORDS_ALONE * (0.55 * overlap + 0.2 * heading + 0.1 * prepared.relative)
    const said = Math.min(1, overlap / ENOUGH_OVERLAP)
    const meant = intent?.intent && answersIntent(prepared, intent.intent) ? intent.confidence : 0
    const doubt = !intent ? 1 : intent.intent === null ? STRANGER : meant > 0 ? 1 : OTHER_SUBJECT
    // The intent is the whole message's: of several questions it is the answer to one, and that one
    // names the article's subject.
    const byIntent = only ? 0.75 * meant + 0.25 * said : meant * (heading > 0 ? 0.55 : 0.45) + 0.45 * said
    const strength = Math.min(1, Math.max(words * doubt, meant > 0 ? byIntent : 0))
    if (!best || strength > best.strength) best = { article: prepared.article, strength, overlap }
  }
  return best && best.strength > 0 ? best : undefined
}
