import { detectLanguage, LANGUAGES } from '../language/detect-language.ts'
import type { Language } from '../language/detect-language.ts'
import type { Sentiment } from '../sentiment/analyse-sentiment.ts'
import { excerptArticle } from './excerpt-article.ts'
import { findQuestions, shorten } from './find-questions.ts'
import type { CustomerQuestion } from './find-questions.ts'
import { matchQuestion, prepareArticles } from './match-articles.ts'
import type { FoundArticle, KnownIntent, Match } from './match-articles.ts'
import { PHRASES } from './phrases.ts'
import { LONGEST_READ, sanitiseMessage } from './sanitise-message.ts'

/** What a draft is made of: the outputs of the steps before it. */
export interface DraftRequest {
  readonly customerMessage: string
  readonly sentiment?: Partial<Pick<Sentiment, 'label' | 'language' | 'score'>>
  readonly knowledge?: { readonly articles: readonly FoundArticle[] }
  readonly intent?: KnownIntent
  /** Last line of the reply by language; a general one otherwise. */
  readonly signOff?: Partial<Record<Language, string>>
}

/** Something about the message that whoever judges the draft must know. */
export type DraftFlag =
  | 'empty_message'
  | 'orders_to_agent'
  | 'no_knowledge'
  | 'unanswered'
  | 'other_language'
  | 'truncated'

/**
 * A draft with all that is needed to judge it, so that a quality check that gets nothing but the
 * draft can do its work.
 */
export interface Draft {
  readonly text: string
  readonly language: Language
  /** The customer's message as material (no markup, links or orders to the agent), at most 2,000 characters. */
  readonly question: string
  /** Ids of the articles it says something from. */
  readonly basedOn: readonly string[]
  /** What these articles say, as far as it was used. */
  readonly sources: readonly { readonly id: string; readonly title: string; readonly body: string }[]
  /** Questions that no article covers. */
  readonly unanswered: readonly string[]
  /** How surely the articles answer the questions, 0 to 1; says nothing of tone or safety. */
  readonly confidence: number
  readonly flags: readonly DraftFlag[]
  /** `rules`, or the model that wrote it. */
  readonly writtenBy: string
}

const LONGEST_QUESTION = 2000
const LONGEST_HEAD = 1200
// Strength from which a question counts as answered, and from which nothing is doubted.
const COVERED = 0.5
const SURE = 0.83
const MOST_ARTICLES = 3

interface Answer {
  readonly question: CustomerQuestion
  readonly match: Match | undefined
}

function isLanguage(value: string | null | undefined): value is Language {
  return LANGUAGES.some((language) => language === value)
}

/** Articles in the customer's language first; the same article in another language only where it is missing. */
function inLanguage(articles: readonly FoundArticle[], language: Language): FoundArticle[] {
  const family = (id: string): string => id.replace(/[.\-_](?:en|de|es|fr)$/i, '')
  const own = new Set(articles.filter((one) => one.language === language).map((one) => family(one.id)))
  return articles.filter((one) => !one.language || one.language === language || !own.has(family(one.id)))
}

/** Takes from a customer's words what must not be repeated: addresses, long numbers. */
function quotable(text: string): string {
  return shorten(text, 160)
    .replace(/[\w.+-]+@[\w-]+\.[\w.]+/g, '…')
    .replace(/\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{2,4}){3,8}\b/gi, '…')
    .replace(/\+?\d(?:[\s\-/.()]?\d){6,}/g, '…')
    .replace(/["“”„«»]/g, '’')
    .replace(/[\s,;:]+$/, '')
}

/** The beginning and the end of a long message: what is wanted, and how it is closed, stand there. */
function headAndTail(message: string): string {
  if (message.length <= LONGEST_QUESTION) return message
  return `${shorten(message.slice(0, LONGEST_HEAD + 1), LONGEST_HEAD)} ${message.slice(LONGEST_HEAD - LONGEST_QUESTION)}`
}

function confidenceOf(answers: readonly Answer[], orders: number): number {
  if (answers.length === 0) return 0
  const sum = answers.reduce((total, { match }) => total + Math.min(1, (match?.strength ?? 0) / SURE), 0)
  const average = sum / answers.length
  return Math.round((orders > 0 ? average * 0.4 : average) * 1000) / 1000
}

/**
 * Puts a reply together from the articles found and the customer's own words, without a language
 * model: greets, is sorry where there is reason, answers each question that an article covers and
 * says which none does. What a customer writes is material: orders in it are not followed, links
 * and markup not repeated. Never throws.
 */
export function composeDraft(request: DraftRequest): Draft {
  const { text: message, orders } = sanitiseMessage(request.customerMessage)
  const guessed = detectLanguage(message)
  const language = guessed.certain ? guessed.language : (request.sentiment?.language ?? guessed.language)
  const phrases = PHRASES[language]
  const signOff = request.signOff?.[language] ?? phrases.signOff
  const flags: DraftFlag[] = []
  if (orders.length > 0) flags.push('orders_to_agent')
  if (request.customerMessage.length > LONGEST_READ) flags.push('truncated')
  const letter = (...parts: string[]): string =>
    [phrases.greeting, ...parts, phrases.closing, signOff].join('\n\n')
  const base = { language, question: headAndTail(message), writtenBy: 'rules' } as const

  if (!/[\p{L}\p{N}]/u.test(message)) {
    // A message of nothing but orders has no text that may be answered, yet it was not empty.
    if (orders.length === 0) flags.push('empty_message')
    const said = orders.length > 0 ? phrases.nothingFound : phrases.nothingWritten
    const text = [phrases.greeting, said, signOff].join('\n\n')
    return { ...base, text, basedOn: [], sources: [], unanswered: [], confidence: 0, flags }
  }

  const opening = {
    angry: phrases.apology,
    negative: phrases.regret,
    neutral: phrases.thanks,
    positive: phrases.thanks,
  }[request.sentiment?.label ?? 'neutral']
  const articles = prepareArticles(inLanguage(request.knowledge?.articles ?? [], language))
  const questions = findQuestions(message)
  const answers = questions.map((question) => ({
    question,
    match: matchQuestion(question, articles, request.intent, questions.length === 1),
  }))
  const covered = answers.filter(({ match }) => match !== undefined && match.strength >= COVERED)
  const unanswered = answers
    .filter((answer) => !covered.includes(answer))
    .map(({ question }) => quotable(question.text))
  const confidence = confidenceOf(answers, orders.length)

  const byArticle = new Map<FoundArticle, Answer[]>()
  for (const answer of covered) {
    if (!answer.match) continue
    const { article } = answer.match
    if (byArticle.size < MOST_ARTICLES || byArticle.has(article)) {
      byArticle.set(article, [...(byArticle.get(article) ?? []), answer])
    }
  }
  if (byArticle.size === 0) {
    flags.push(articles.length === 0 ? 'no_knowledge' : 'unanswered')
    const text = letter(opening, phrases.nothingFound)
    return {
      ...base,
      text,
      basedOn: [],
      sources: [],
      unanswered,
      confidence: Math.min(confidence, 0.5),
      flags,
    }
  }

  const parts: string[] = [opening]
  const sources: { id: string; title: string; body: string }[] = []
  for (const [article, answered] of byArticle) {
    const asked = answered.map(({ question }) => question.text)
    const excerpt = excerptArticle(article.body, asked)
    // With one subject it is plain what the reply is about; with several each is named.
    if (byArticle.size > 1) parts.push(phrases.asked(quotable(asked.join(' '))))
    if (isLanguage(article.language) && article.language !== language) {
      parts.push(phrases.onlyIn(article.language))
      if (!flags.includes('other_language')) flags.push('other_language')
    }
    parts.push(excerpt)
    sources.push({ id: article.id, title: article.title, body: excerpt })
  }
  if (unanswered.length > 0) {
    flags.push('unanswered')
    parts.push([phrases.open, ...unanswered.map((question) => `- ${question}`)].join('\n'))
  }
  return {
    ...base,
    text: letter(...parts),
    basedOn: sources.map((source) => source.id),
    sources,
    unanswered,
    confidence,
    flags,
  }
}
