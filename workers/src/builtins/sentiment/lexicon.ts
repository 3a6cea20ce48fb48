import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { z } from 'zod'
import type { Language } from '../language/detect-language.ts'

const entries = z.record(z.string(), z.number().nullable())

// AFINN-165 in translation knows newspapers better than parcels: what customers write, -3 to 3, and
// words that are no feeling in a letter to a company (0).
const CUSTOMERS_SAY: Record<Exclude<Language, 'en'>, Record<string, number>> = {
  de: {
    frechheit: -3,
    unverschämt: -3,
    sauer: -3,
    stinksauer: -3,
    wütend: -3,
    kaputt: -2,
    katastrophe: -3,
    saftladen: -3,
    betrug: -3,
    abzocke: -3,
    unzumutbar: -3,
    lächerlich: -2,
    nie: -1,
    defekt: -2,
    beschädigt: -2,
    mangelhaft: -2,
    zerbrochen: -2,
    unzufrieden: -2,
    enttäuschung: -2,
    ärger: -2,
    nerv: -2,
    nervt: -2,
    mist: -2,
    verloren: -1,
    idioten: -3,
    warte: -1,
    unmöglich: -2,
    bodenlos: -2,
    schnauze: -3,
    hilfreich: 2,
    danke: 2,
    dankeschön: 2,
    vielen: 0,
    super: 3,
    toll: 3,
    klasse: 3,
    perfekt: 3,
    prima: 2,
    freundlich: 2,
    lecker: 2,
    begeistert: 3,
    zufrieden: 2,
    bitte: 0,
    hilfe: 0,
    problem: -1,
    gerne: 0,
    gern: 0,
    gut: 2,
  },
  es: {
    enfadado: -3,
    enfadada: -3,
    furioso: -3,
    furiosa: -3,
    harto: -3,
    harta: -3,
    estafa: -3,
    timo: -3,
    inaceptable: -3,
    vergüenza: -3,
    desastre: -3,
    roto: -2,
    rota: -2,
    defectuoso: -2,
    dañado: -2,
    pésimo: -3,
    pésima: -3,
    nadie: -1,
    esperando: -1,
    decepcionado: -2,
    decepcionada: -2,
    perdido: -1,
    ridículo: -2,
    asco: -3,
    idiotas: -3,
    indignante: -3,
    gracias: 2,
    excelente: 3,
    perfecto: 3,
    genial: 3,
    encantado: 3,
    encantada: 3,
    contento: 2,
    contenta: 2,
    estupendo: 3,
    rico: 2,
    favor: 0,
    ayuda: 0,
    problema: -1,
    quiero: 0,
    crédito: 0,
  },
  fr: {
    furieux: -3,
    furieuse: -3,
    colère: -3,
    honte: -3,
    scandaleux: -3,
    inacceptable: -3,
    arnaque: -3,
    nul: -2,
    nulle: -2,
    cassé: -2,
    cassée: -2,
    abîmé: -2,
    déçu: -2,
    déçue: -2,
    marre: -3,
    catastrophe: -3,
    défectueux: -2,
    jamais: -1,
    merci: 2,
    parfait: 3,
    excellent: 3,
    génial: 3,
    super: 3,
    content: 2,
    contente: 2,
    ravi: 3,
    plaît: 0,
    aide: 0,
    problème: -1,
    crédit: 0,
  },
}

const ENDINGS: Record<Exclude<Language, 'en'>, RegExp> = {
  de: /(?:ern|em|en|er|es|e|s|n)$/,
  es: /(?:os|as|es|o|a|e|s)$/,
  fr: /(?:ées|és|ée|es|e|s)$/,
}

/** A word without its accents and endings, so that "enttäuschte" finds "enttäuscht". */
export function stemOf(word: string, language: Exclude<Language, 'en'>): string {
  const lower = word.toLowerCase()
  const stem = lower.length > 4 ? lower.replace(ENDINGS[language], '') : lower
  return stem.normalize('NFKD').replace(/\p{M}+/gu, '')
}

const require = createRequire(import.meta.url)
// The package's own entry reads all of its hundred languages; we want one file of it.
const FILES: Record<Exclude<Language, 'en'>, () => string> = {
  de: () => require.resolve('afinn-165-multilingual/build/AFINN-de.json'),
  es: () => require.resolve('afinn-165-multilingual/build/AFINN-es.json'),
  fr: () => require.resolve('afinn-165-multilingual/build/AFINN-fr.json'),
}
const loaded = new Map<Language, ReadonlyMap<string, number>>()

/** Stem → feeling (-5 to 5) of one language: AFINN-165 in translation and what customers write. Read once. */
export function lexiconOf(language: Exclude<Language, 'en'>): ReadonlyMap<string, number> {
  const known = loaded.get(language)
  if (known) return known
  const file = FILES[language]()
  const lexicon = new Map<string, number>()
  for (const [word, value] of Object.entries(entries.parse(JSON.parse(readFileSync(file, 'utf8'))))) {
    if (word === '' || value === null || word.includes(' ')) continue
    const stem = stemOf(word, language)
    if (!lexicon.has(stem)) lexicon.set(stem, value)
  }
  for (const [word, value] of Object.entries(CUSTOMERS_SAY[language]))
    lexicon.set(stemOf(word, language), value)
  loaded.set(language, lexicon)
  return lexicon
}
