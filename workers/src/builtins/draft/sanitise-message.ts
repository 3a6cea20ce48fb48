import { plain } from './content-words.ts'

/** A customer's message as material: what may be quoted, and what was taken out of it. */
export interface SanitisedMessage {
  /** Plain text without markup, links and control characters, of the first 24,000 characters. */
  readonly text: string
  /** Orders to the agent, taken out; never followed, never quoted. */
  readonly orders: readonly string[]
}

/** Characters of a message that are read at all. */
export const LONGEST_READ = 24_000

// Sentences that speak to the machine, not to the shop. They are data: taken out and reported.
const ORDERS: readonly RegExp[] = [
  /\b(ignore|disregard|forget|override|bypass)\b.{0,40}\b(instructions?|rules?|prompts?|guidelines?|polic(y|ies)|above|previous|training)\b/i,
  /\b(system|hidden|initial|developer) (prompt|message|instructions?|note|override)\b/i,
  /\b(system|assistant|developer|admin(istrator)?)\s*:/i,
  /\b(you are|you're|act as|behave as|pretend (to be|you)|switch to) (now |a |an |the |in )*(admin|dan|developer|jailb\w+|unrestricted|root|different|another|pirate|debug|maintenance|mode|ai|assistant|language model)\b/i,
  /\byou are now\b|\b(you must|you will|you have to) obey\b|\bobey me\b|\bnew rules?\s*:/i,
  /\bi am (the|your) (new )?(ceo|owner|boss|developer|admin\w*|creator|security auditor|manager)\b/i,
  /\bforget (that )?(you are|your|everything|all)\b/i,
  /\b(print|reveal|output|show|repeat|send|list|give)\b.{0,40}\b(system|prompt|instructions|api.?keys?|passwords?|credentials|secrets?|configuration|hidden|internal|other customers?|all customers?|customer (data|list)|database)\b/i,
  /\b(approve|grant|issue|confirm|execute|authori[sz]e|mark|set|classify|rate|score|escalate|close)\b.{0,40}\b(refund of|voucher of|credit of|as resolved|as approved|confidence|quality|without (checking|approval|asking|review)|to my account and|admin|ticket as)\b/i,
  /\b(note|message|attention|instruction)s? (to|for) (the )?(ai|bot|agent|assistant|model|system|llm|chatbot)\b/i,
  /\b(answer|reply|respond|say|write|include|add|end)\b.{0,20}\b(only with|exactly|verbatim|nothing but|the (words?|phrase|sentence|following)|word for word|in capital)\b/i,
  /\b(delete|drop|wipe|shut down|disable)\b.{0,30}\b(database|table|logs?|records?|all data|yourself|safety|filters?|escalation)\b/i,
  /\bignorier\w*.{0,40}\b(anweisung\w*|regeln|vorgaben|alles|bisherig\w*|vorherig\w*)/i,
  /\b(du bist|sie sind) (jetzt|nun|ab sofort)\b/i,
  /\b(gib|geben sie|zeige?|nenne?|sende?|verrat\w*)\b.{0,50}\b(systemprompt|passwort|passworter|zugangsdaten|api|anweisungen|kundendaten|alle kunden|andere[rn]? kunden)/i,
  /\b(genehmige|erstatte|uberweise|bestatige)\b.{0,40}\b(sofort|ohne|konto|euro|eur)\b/i,
  /\bignora\w*.{0,40}\b(instrucciones|reglas|normas|anterior\w*|todo)/i,
  /\b(ahora eres|eres ahora|actua como|a partir de ahora)\b/i,
  /\b(muestra|muestrame|dime|revela|imprime|envia\w*)\b.{0,50}\b(contrasena|contrasenas|prompt|instrucciones|claves?|datos de (otros|todos|los) (los )?clientes)/i,
  /\b(aprueba|autoriza|confirma|reembolsa)\b.{0,40}\b(reembolso de|inmediat\w*|sin (revis|aprob)\w*|cuenta)/i,
  /\bignore[zr]?.{0,40}\b(instructions|consignes|regles|precedent\w*)/i,
  /<\/?(system|assistant|instructions?|prompt|tool|function)[^>]*>/i,
  /\b(end of|begin) (user|customer|system) (message|input|prompt)\b/i,
  /\[\/?(inst|system)\]|<\|.{0,30}\|>/i,
]

/** Whether a sentence gives orders to the agent instead of asking the shop something. */
export function isOrderToAgent(sentence: string): boolean {
  const text = plain(sentence)
  return ORDERS.some((pattern) => pattern.test(text))
}

/** The sentences of a text; list items and lines count as sentences of their own. */
export function sentencesOf(text: string): string[] {
  return text
    .replace(/(^|[\s:,;])\(?\d{1,2}[).]\s+(?=\p{L})/gu, '$1\n')
    .split(/\n+|(?<=[.!?…])\s+(?=[\p{L}\p{N}¿¡"'(])|(?<=[?!])(?=\p{Lu})|(?=[¿])/u)
    .map((sentence) => sentence.replace(/^[\s\-*•–]+/, '').trim())
    .filter((sentence) => sentence !== '')
}

/**
 * Makes material of a customer's message: control characters, markup and links go (they are never
 * echoed), and so do sentences that give orders to the agent.
 */
export function sanitiseMessage(message: string): SanitisedMessage {
  const cut = message.slice(0, LONGEST_READ)
  // Orders are looked for before the markup goes: some hide in it.
  // Most messages give none: one look at the whole spares looking at every sentence.
  const suspicious = isOrderToAgent(cut)
  const orders = suspicious ? sentencesOf(cut).filter(isOrderToAgent) : []
  const text = cut
    .replace(/<[^>]{0,500}>/g, ' ')
    .replace(/!?\[([^\]]{0,300})\]\([^)]{0,500}\)/g, '$1')
    .replace(/\b(?:https?|ftp|javascript|data|mailto):\S*/gi, ' ')
    .replace(/\bwww\.\S+/gi, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, (character) => (character === '\n' ? '\n' : ' '))
    .replace(/[`*_#~|\\{}[\]<>]+/g, ' ')
    .replace(/[ \t]+/g, ' ')
  const sentences = sentencesOf(text)
  const kept = suspicious ? sentences.filter((sentence) => !isOrderToAgent(sentence)) : sentences
  return { text: kept.join('\n'), orders }
}
