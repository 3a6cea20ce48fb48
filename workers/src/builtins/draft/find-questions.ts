import { contentStems, plain } from './content-words.ts'
import { sentencesOf } from './sanitise-message.ts'

/** One thing the customer wants to know or have. */
export interface CustomerQuestion {
  /** The sentence in which it is asked. */
  readonly text: string
  /** The sentence and what of its surroundings it cannot be understood without. */
  readonly context: string
}

// How a request is made without a question mark: at the beginning of a sentence, or anywhere in it.
const BEGINS =
  /^(can|could|may|do|does|are|is|how|what|when|where|which|why|who|cancel|change|refund|pause|kann|konnen|konnten|kannst|darf|gibt es|wie|wo|wann|warum|welche|hiermit|puedo|pueden|podria|se puede|hay|como|cuando|donde|cuanto|por que|devuelvan|puis je|pouvez|comment|combien|quand|pourquoi)(?!\p{L})/u
const REQUESTS =
  /\b(can (i|you|we)|could (i|you|we)|i (want|need|would like|wish)|id like|we (need|want)|please|pls|tell me|send me|give me|need an?|wanna|ich (mochte|will|brauche|hatte gern|kundige)|bitte|puedo|quiero|necesito|quisiera|me gustaria|je (veux|voudrais|souhaite))\b/

const GREETING_OR_CLOSING =
  /^(hello|hi|hey|dear|good (morning|day|evening|afternoon)|hallo|guten? (tag|morgen|abend)|moin|sehr geehrte|liebes?|hola|buen[oa]s|estimad|bonjour|madame|thanks|thank you|many thanks|cheers|kind regards|best|regards|viele gru|liebe gru|mit freundlichen|mfg|danke|vielen dank|gracias|muchas gracias|saludos|un saludo|merci|cordialement)[^?]{0,40}$/

const MOST_QUESTIONS = 6
const SHORT_MESSAGE = 30

function asks(sentence: string): boolean {
  const words = plain(sentence).replace(/['’]/g, '')
  return BEGINS.test(words) || REQUESTS.test(words)
}

function isCourtesy(sentence: string): boolean {
  return GREETING_OR_CLOSING.test(plain(sentence).trim())
}

/**
 * Finds what a customer asks: the sentences that ask or request something, at most six; the whole
 * message where none does. A sentence that says nothing by itself ("Is that possible?") takes
 * its meaning from the sentence before it.
 */
export function findQuestions(text: string): CustomerQuestion[] {
  const sentences = sentencesOf(text).filter((sentence) => !isCourtesy(sentence))
  if (sentences.length === 0) return []
  const asking = sentences
    .map((sentence, index) => ({ sentence, index }))
    .filter(({ sentence }) => /\?/.test(sentence) || asks(sentence))
  const whole = sentences.join(' ')
  if (asking.length === 0) return [{ text: shorten(whole, 300), context: whole }]
  // In a long letter the marked questions are the ones; a story is full of "I wanted" and "could you".
  const marked = asking.filter(({ sentence }) => sentence.includes('?'))
  const chosen = asking.length > MOST_QUESTIONS && marked.length > 0 ? marked : asking
  const short = contentStems(whole).length <= SHORT_MESSAGE
  const questions: CustomerQuestion[] = []
  for (const { sentence, index } of chosen) {
    const before = sentences[index - 1]
    const needy = contentStems(sentence).length < 2 && before !== undefined
    // The only question of a short message is about all that stands around it.
    const context = chosen.length === 1 && short ? whole : needy ? `${before} ${sentence}` : sentence
    questions.push({ text: shorten(sentence, 300), context })
  }
  return questions.slice(0, MOST_QUESTIONS)
}

/** A text cut at a word, with an ellipsis, when it is longer than `most` characters. */
export function shorten(text: string, most: number): string {
  const one = text.replace(/\s+/g, ' ').trim()
  if (one.length <= most) return one
  const cut = one.slice(0, most)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), most / 2)).trimEnd()}…`
}
