/** Why a message should not wait, whatever its tone. */
export type UrgencyCue =
  | 'asks_for_speed'
  | 'waits_for_long'
  | 'wrote_before'
  | 'threatens_law'
  | 'threatens_to_leave'
  | 'money_at_stake'
  | 'security'
  | 'shouts'

const CUES: readonly (readonly [cue: UrgencyCue, pattern: RegExp, score: number])[] = [
  [
    'asks_for_speed',
    /\b(urgent(ly)?|asap|immediately|right now|as soon as possible|at once|emergency|dringend|sofort|umgehend|eilt|so schnell wie möglich|urgente|inmediatamente|ya mismo|cuanto antes|lo antes posible|de inmediato|immédiatement|au plus vite|tout de suite)\b/iu,
    0,
  ],
  [
    'waits_for_long',
    /\b(still (waiting|no|not|nothing|hasn'?t|haven'?t)|never (arrived|came|got)|(for|over) (\w+ )?(\w+ )?(weeks|months)|(\d+|two|three|four|five|six) weeks|seit (\w+ )?(tagen|wochen|monaten)|immer noch|warte (noch|seit)|nie (angekommen|bekommen)|sigo esperando|llevo (\w+ )?(\w+ )?(días|dias|semanas|meses)|todavía no|aún no|nunca (llegó|ha llegado)|depuis (\w+ )?(jours|semaines|mois)|toujours (pas|rien))(?!\p{L})/iu,
    -0.25,
  ],
  [
    'wrote_before',
    /\b((second|third|fourth|fifth|2nd|3rd|4th|5th) (time|mail|email|message)|again and again|nobody (answers|replies|responds|cares)|no ?one (answers|replies|responds)|no (reply|answer|response)|(zweite|dritte|vierte|zweiten|dritten|vierten)[snm]? (mal|mail|nachricht|versuch)|niemand (antwortet|meldet|reagiert)|keine (antwort|reaktion|rückmeldung)|(segunda|tercera|cuarta) vez|nadie (responde|contesta)|sin respuesta|(deuxième|troisième) fois|personne ne répond)(?!\p{L})/iu,
    -0.3,
  ],
  [
    'threatens_law',
    /\b(lawyer|sue (you|them)|legal action|small claims|consumer protection|chargeback|police|anwalt|anzeige|verbraucherzentrale|rechtliche schritte|abogado|denuncia|denunciar|demanda(r|ré)|consumo|avocat|plainte|porter plainte)\b/iu,
    -0.4,
  ],
  [
    'threatens_to_leave',
    /\b(never (again|buy|order)|last (order|time i)|take my business|(bad|one star|1 star) review|trustpilot|nie wieder|schlechte bewertung|nunca más|no vuelvo a|mala reseña|plus jamais)(?!\p{L})/iu,
    -0.35,
  ],
  [
    'money_at_stake',
    /\b(charged (me )?twice|double charged|(give|want) (me )?(back )?my money|money back|overdraft|doppelt (abgebucht|belastet|bezahlt)|geld zurück|me (han )?cobr(ado|aron) (dos veces|el doble)|devuelvan (el|mi) dinero|(quiero )?mi dinero|remboursez)(?!\p{L})/iu,
    -0.2,
  ],
  [
    'security',
    /\b(fraud|hacked|stolen|identity theft|unauthori[sz]ed|someone (else )?(used|is using)|betrug|gehackt|gestohlen|unbefugt|fraude|hackead[oa]|robad[oa]|me robaron|piraté|volée?)(?!\p{L})/iu,
    -0.2,
  ],
]

/** Insults and oaths: they make an angry message of any other. */
const INSULTS =
  /\b(idiots?|morons?|stupid|scammers?|thieves|bullshit|shit|wtf|f+u+c+k\w*|crooks|liars|idioten|deppen|scheiss\w*|scheiß\w*|verarsch\w*|betrüger|saftladen|frechheit|unverschämt\w*|stinksauer|idiotas|estafadores|ladrones|mierda|sinvergüenzas|voleurs|escrocs|merde)(?!\p{L})/iu

/** Words of anger, where disappointment would have sufficed. */
const ANGER =
  /\b(furious|angry|outrag\w+|livid|fed up|sick of|the worst|ridiculous|disgust\w+|unacceptable|incompetent|ruined|is a joke|wütend|sauer|unzumutbar|lächerlich|reicht( es)? (mir|langsam)|die nase voll|katastrophe|enfadad[oa]|furios[oa]|hart[oa] de|vergüenza|indignante|inaceptable|ridículo|furieu(x|se)|en colère|inadmissible|scandaleux|honte|marre)(?!\p{L})/iu

/** What in a message speaks of urgency, and what it adds to the score (0 or below). */
export interface Cues {
  readonly urgency: readonly UrgencyCue[]
  readonly score: number
  /** Insults, oaths or words of anger. */
  readonly anger: boolean
  readonly shouts: boolean
}

/** Reads the cues off a message, in any of the languages. */
export function findCues(text: string): Cues {
  const found = CUES.filter(([, pattern]) => pattern.test(text))
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0
  const shouts = (letters >= 12 && capitals / letters > 0.6) || /[!?]{3,}/.test(text)
  return {
    urgency: [...found.map(([cue]) => cue), ...(shouts ? ['shouts' as const] : [])],
    score: found.reduce((sum, [, , score]) => sum + score, 0),
    anger: INSULTS.test(text) || ANGER.test(text),
    shouts,
  }
}
