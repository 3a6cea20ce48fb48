import { comparable } from './comparable-text.ts'
import type { Fault } from './dimension.ts'
import type { OutputToScore } from './output-to-score.ts'

const INSULTS =
  /\b(idiots?|moron|stupid|dumb|shut up|liar|pathetic|ridiculous|nonsense|bullshit|damn|shit|f+u+c+k\w*|dummkopf|idiot\w*|bloed|blod|unsinn|lugner|scheiss\w*|halt den mund|idiotas?|estupid\w*|tont[oa]s?|mentiros[oa]|callate|mierda|imbecile|stupide|menteur|merde)\b/
const CURT =
  /\b(not our problem|your (own )?fault|as i (already )?said|obviously|calm down|selbst schuld|nicht unser problem|es su culpa|no es nuestro problema|calmese|votre faute)\b/
const POLITE =
  /\b(hello|dear|good (morning|day|afternoon)|hi|thank|please|sorry|apolog|regards|guten (tag|morgen)|hallo|sehr geehrte|danke|dank|bitte|leid|entschuldig\w*|grusse|hola|estimad\w*|buen[oa]s|gracias|por favor|siento|disculp\w*|saludo|bonjour|merci|desole\w*|cordialement)\b/
const SORRY =
  /\b(sorry|apolog\w*|regret|unfortunately|entschuldig\w*|tut (mir|uns)\b.{0,20}\bleid|bedauer\w*|siento|sentimos|lamento|lamentamos|disculp\w*|desole\w*|excus\w*)/
const UPSET =
  /\b(furious|angry|terrible|horrible|worst|unacceptable|ridiculous|disappointed|disgust\w*|never again|fed up|wutend|sauer|frechheit|unverschamt\w*|enttauscht|katastrophe|furios[oa]|enfadad[oa]|vergunza|verguenza|inaceptable|decepcionad[oa]|horrible|furieux|inacceptable|decu)\b|!{3,}/

/** Is it polite and calm, and sorry where the customer is upset. */
export function toneFaults({ text, question }: OutputToScore): Fault[] {
  const words = comparable(text)
  const faults: Fault[] = []
  if (INSULTS.test(words)) faults.push({ cost: 0.8, reason: 'it insults', flag: 'rude', cap: 0.3 })
  if (CURT.test(words)) faults.push({ cost: 0.4, reason: 'it blames or lectures', flag: 'rude', cap: 0.6 })
  const long = text.match(/\p{L}{4,}/gu) ?? []
  const shouted = long.filter((word) => word === word.toUpperCase() && word !== word.toLowerCase())
  if (shouted.length >= 3 && shouted.length / long.length > 0.25) {
    faults.push({ cost: 0.5, reason: 'it shouts in capitals', flag: 'shouting', cap: 0.7 })
  }
  if (/[!?]{3,}/.test(text) || (text.match(/!/g)?.length ?? 0) > 4) {
    faults.push({ cost: 0.2, reason: 'it exclaims too much', flag: 'shouting' })
  }
  if (!POLITE.test(words))
    faults.push({ cost: 0.4, reason: 'it neither greets nor thanks', flag: 'impolite', cap: 0.75 })
  if (question !== undefined && UPSET.test(comparable(question)) && !SORRY.test(words)) {
    faults.push({ cost: 0.3, reason: 'the customer is upset and it is not sorry', flag: 'no_apology' })
  }
  return faults
}
