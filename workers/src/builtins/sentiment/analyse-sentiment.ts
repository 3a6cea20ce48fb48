import { SentimentIntensityAnalyzer } from 'vader-sentiment'
import { detectLanguage } from '../language/detect-language.ts'
import type { Language } from '../language/detect-language.ts'
import { findCues } from './cues.ts'
import type { UrgencyCue } from './cues.ts'
import { lexiconOf, stemOf } from './lexicon.ts'

/** How a message sounds. */
export interface Sentiment {
  /** `angry` is a negative message with insults, shouting or words of anger. */
  readonly label: 'positive' | 'neutral' | 'negative' | 'angry'
  /** -1 (worst) to 1. */
  readonly score: number
  readonly language: Language
  readonly urgency: {
    readonly level: 'low' | 'normal' | 'high'
    readonly cues: readonly UrgencyCue[]
  }
}

// The mood of a letter shows in its beginning and its end.
const HEAD = 3000
const TAIL = 1000
const NEGATION_REACH = 3

const NEGATIONS: Record<Exclude<Language, 'en'>, ReadonlySet<string>> = {
  de: new Set(['nicht', 'kein', 'keine', 'keinen', 'nie', 'niemals', 'ohne', 'kaum']),
  es: new Set(['no', 'nunca', 'jamás', 'sin', 'tampoco', 'ni']),
  fr: new Set(['ne', 'pas', 'jamais', 'sans', 'aucun', 'aucune']),
}

// Not feelings but subjects and courtesies in a letter to a company; VADER knows them as good news.
const COURTESIES =
  /\b(please|help(ed|ing)?|credit(ed|s)?|want(ed|s)?|like to|interest|share|secure|security|care|number|dear|hi|hello|cancel(led|ling)?)\b/gi

function withVader(text: string): number {
  return SentimentIntensityAnalyzer.polarity_scores(text.replace(COURTESIES, 'it')).compound
}

function withLexicon(text: string, language: Exclude<Language, 'en'>): number {
  const lexicon = lexiconOf(language)
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  let sum = 0
  let lastNegation = -Infinity
  words.forEach((word, index) => {
    const value = lexicon.get(stemOf(word, language)) ?? 0
    if (NEGATIONS[language].has(word)) {
      lastNegation = index
      if (value >= 0) return
    }
    const negated = index !== lastNegation && index - lastNegation <= NEGATION_REACH && value > 0
    sum += negated ? -0.74 * value : value
  })
  // VADER's normalisation, so that the scores of all languages are of one scale.
  return sum / Math.sqrt(sum * sum + 15)
}

/**
 * Says how a message sounds: a lexicon (VADER for English, AFINN-165 in translation for German,
 * Spanish and French) and what customers write when they are out of patience. Never throws; nothing
 * written is neutral.
 */
export function analyseSentiment(message: string): Sentiment {
  const text = message.length > HEAD + TAIL ? `${message.slice(0, HEAD)} ${message.slice(-TAIL)}` : message
  const { language } = detectLanguage(text)
  const cues = findCues(text)
  const mood = language === 'en' ? withVader(text) : withLexicon(text, language)
  const raw = mood + cues.score + (cues.anger ? -0.3 : 0)
  // Capitals and exclamation marks make a bad mood worse, and a good one no better.
  const shouted = cues.shouts && raw < 0.2 ? raw - 0.25 : raw
  const score = Math.round(Math.max(-1, Math.min(1, shouted)) * 1000) / 1000
  const label =
    score <= -0.95 || (score < -0.2 && (cues.anger || cues.shouts))
      ? 'angry'
      : score <= -0.15
        ? 'negative'
        : score >= 0.3
          ? 'positive'
          : 'neutral'
  const pressing = cues.urgency.some((cue) => ['asks_for_speed', 'threatens_law', 'security'].includes(cue))
  const level =
    pressing || cues.urgency.length >= 2
      ? 'high'
      : cues.urgency.length === 0 && label !== 'angry'
        ? 'low'
        : 'normal'
  return { label, score, language, urgency: { level, cues: cues.urgency } }
}
