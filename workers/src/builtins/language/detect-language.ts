import { detectAll } from 'tinyld/light'

/** The languages the built-in agents read and write. */
export const LANGUAGES = ['en', 'de', 'es', 'fr'] as const
export type Language = (typeof LANGUAGES)[number]

/** Which language a text is written in, and whether the guess is worth relying on. */
export interface DetectedLanguage {
  readonly language: Language
  readonly certain: boolean
}

// Longer texts do not make the guess better, only slower.
const ENOUGH_CHARACTERS = 600

// Words of one language alone, common in messages too short for trigrams to tell.
const TELLING: Record<Language, RegExp> = {
  en: /\b(the|my|is|not|please|hello|hi|thanks|how|what|where|when|order|in|to|of|with|for)\b/gi,
  de: /\b(ich|nicht|mein|meine|meinen|bitte|hallo|danke|wie|wieviel|wo|wann|ist|das|der|die|und|im|mit|von|bestellung|bestellt|geliefert|vergessen|passwort|falsche)\b|[äöüß]/gi,
  es: /\b(mi|por|favor|hola|gracias|el|los|las|una|pedido|quiero|que|con|del|de|la|para|pero|nada|han|aqui|veces|recibido|deja)\b|[¿¡ñáíóú]/gi,
  fr: /\b(je|ne|pas|mon|bonjour|merci|comment|quand|est|le|les|une|commande|votre|vous|de|la|que|pour)\b|[èêçàùœ]/gi,
}
const CLEAR = 0.25

function tellingWords(text: string, language: Language): number {
  return text.match(TELLING[language])?.length ?? 0
}

/** Guesses the language of a message; English, and not certain, where nothing can be told. */
export function detectLanguage(text: string): DetectedLanguage {
  const start = text.slice(0, ENOUGH_CHARACTERS)
  const [best, second] = detectAll(start, { only: [...LANGUAGES] })
  const scores = LANGUAGES.map((language) => ({
    language,
    score:
      [best, second].reduce((sum, one) => (one?.lang === language ? sum + one.accuracy : sum), 0) +
      tellingWords(start, language) * 0.15,
  })).sort((left, right) => right.score - left.score)
  const [first, next] = scores
  if (!first || first.score === 0) return { language: 'en', certain: false }
  // Short English is easily taken for something else ("Glass carafe arrived in pieces"): ask for one word of it.
  if (first.score < CLEAR && tellingWords(start, first.language) === 0)
    return { language: 'en', certain: false }
  return { language: first.language, certain: first.score - (next?.score ?? 0) > 0.1 }
}
