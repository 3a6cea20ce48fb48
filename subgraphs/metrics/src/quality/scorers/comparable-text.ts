/** The most of a text that a scorer reads; beyond it nothing changes what a person would think of a reply. */
const LONGEST_READ = 20_000

/** Lower case, without accents and with single blanks: how texts are compared across languages and typists. */
export function comparable(text: string): string {
  return text
    .slice(0, LONGEST_READ)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[’‘`´]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
}

/** Sentences, lines and list items of a text. */
export function sentencesIn(text: string): string[] {
  return text
    .slice(0, LONGEST_READ)
    .split(/\n+|(?<=[.!?…])\s+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}

/** The sentences that are the writer's own: found word for word in none of the sources. */
export function ownSentences(text: string, sources: readonly { readonly body: string }[]): string[] {
  const known = sources.map((source) => comparable(source.body))
  return sentencesIn(text).filter((sentence) => {
    const words = comparable(sentence)
    return !known.some((body) => body.includes(words))
  })
}

// Words of questions and courtesies, in four languages: sharing them is no sign of an answer.
const EMPTY_WORDS = new Set(
  `about after also and any are can could did does for from had has have hello how its just like may more not please should some
  than thank thanks that the their them then there these they this those was were what when where which while who why will with
  would you your aber auch auf aus bei bitte danke das dass dem den der des die diese ein eine einem einen einer fur hallo habe
  haben ich ihr ihre ihren ist kann kein keine mein meine mich mir mit nach nicht noch oder sehr sich sie sind und uns von vor
  wann warum was wenn wer wie wird zum zur algo como con cual cuando cuanto del donde ella esta este esto favor gracias hay
  hola las los mas muy para pero por porque que quien quiero ser sin sobre son sus tambien tengo una usted aux avec bonjour ces
  comment dans des elle est les leur mais merci mes mon nous ont par pas plus pour quand que quel qui ses son sont sur une votre vous`.split(
    /\s+/,
  ),
)

/** The stems (six letters) of the words that carry meaning, each once. */
export function meaningfulStems(text: string): string[] {
  const words = comparable(text).match(/\p{L}{3,}/gu) ?? []
  return [...new Set(words.filter((word) => !EMPTY_WORDS.has(word)).map((word) => word.slice(0, 6)))]
}
