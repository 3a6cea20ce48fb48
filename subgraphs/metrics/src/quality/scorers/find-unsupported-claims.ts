import { comparable, ownSentences } from './comparable-text.ts'

/** Something a reply says that neither its sources nor the customer's question have. */
export interface UnsupportedClaim {
  readonly kind: 'number' | 'amount' | 'link' | 'promise'
  readonly text: string
}

const LINK =
  /\b(?:https?:\/\/|www\.)[^\s<>()"']{2,200}|\b[a-z0-9-]{2,40}\.(?:com|net|org|de|es|fr|eu|io|shop|example)(?:\/[^\s<>()"']{0,200})?/g
const AMOUNT =
  /(?:[€$£]|\b(?:eur|usd|gbp|euros?|dollars?)\b)\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?(?:[€$£%]|(?:eur|usd|gbp|euros?|dollars?|percent|prozent|por ciento)\b)/g
const NUMBER = /\d+(?:[.,:]\d+)*/g

// Promises and finished deeds: the writer did nothing and may promise nothing that no source says.
const PROMISES =
  /\b(guarantee[ds]?|i promise|we promise|i assure|rest assured|i have (approved|refunded|cancel+ed|changed|issued|credited|processed|updated|escalated)|has been (approved|refunded|cancel+ed|issued|credited|processed|deleted)|we will (refund|credit|compensate|replace|pay)|you will (receive|get) (a |your |the )?(full )?(refund|replacement|credit|compensation)|(refund|voucher|discount) (is |was )?(approved|confirmed|granted)|garantier\w*|ich verspreche|wir versprechen|wurde (genehmigt|erstattet|storniert|geloscht)|habe ich (genehmigt|erstattet|storniert|geandert)|wir (erstatten|ersetzen) ihnen|garantizamos|le garantizo|prometo|prometemos|ha sido (aprobad|reembolsad|cancelad)\w*|le (reembolsaremos|devolveremos)|he (aprobado|reembolsado|cancelado)|nous garantissons|je vous promets|a ete (approuve|rembourse|annule)\w*)\b/g

function digits(text: string): string {
  return text
    .replace(/[^\d.,:]/g, '')
    .replace(/,/g, '.')
    .replace(/[.:]+$/, '')
}

/**
 * Finds numbers, amounts, links and promises that no source has. Numbers may also come from the
 * question (an order number repeated is no claim); an amount together with a commitment may not: that
 * is how a customer's order to pay would come out.
 */
export function findUnsupportedClaims(
  text: string,
  question: string,
  sources: readonly { readonly title?: string; readonly body: string }[],
): UnsupportedClaim[] {
  const known = comparable(sources.map((source) => `${source.title ?? ''} ${source.body}`).join(' '))
  const knownNumbers = new Set((known.match(NUMBER) ?? []).map(digits))
  const asked = comparable(question)
  const askedNumbers = new Set((asked.match(NUMBER) ?? []).map(digits))
  const claims: UnsupportedClaim[] = []
  for (const sentence of ownSentences(text, sources)) {
    let words = comparable(sentence)
    // What is quoted from the customer is not claimed.
    if (
      asked !== '' &&
      words.replace(/^- /, '').length > 0 &&
      asked.includes(words.replace(/^- /, '').replace(/…$/, ''))
    )
      continue
    const promises = (words.match(PROMISES) ?? []).filter((promise) => !known.includes(promise))
    claims.push(...promises.map((promise) => ({ kind: 'promise' as const, text: promise })))
    for (const link of words.match(LINK) ?? []) {
      if (!known.includes(link.replace(/[.,;:!?]+$/, ''))) claims.push({ kind: 'link', text: link })
    }
    words = words.replace(LINK, ' ')
    for (const amount of words.match(AMOUNT) ?? []) {
      const value = digits(amount)
      const repeated = askedNumbers.has(value) && promises.length === 0
      if (!knownNumbers.has(value) && !repeated) claims.push({ kind: 'amount', text: amount })
    }
    // Numbers that begin a list item count it.
    words = words.replace(AMOUNT, ' ').replace(/^\(?\d{1,2}[.)]\s/, ' ')
    for (const number of words.match(NUMBER) ?? []) {
      const value = digits(number)
      if (!knownNumbers.has(value) && !askedNumbers.has(value)) claims.push({ kind: 'number', text: number })
    }
  }
  return claims
}
