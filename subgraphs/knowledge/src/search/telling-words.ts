/** The most of a text that is looked at, characters. */
const LONGEST_READ = 50_000
const MOST_WORDS = 60

// What people write to be polite or to begin, in four languages: it says nothing about the matter. PostgreSQL's own
// stop words come on top of these.
const CHATTER = new Set(
  `hi hello hey dear team sir madam thanks thank please pls plz kindly regards cheers sorry help need want like know tell get got
  could would anyone someone something anything really just still already also even much many way thing things yes okay ok asap
  today question problem issue hope wondering wonder guys good morning afternoon evening day im ive id dont cant didnt doesnt isnt
  wont whats wheres hows let make give think going say says said try tried long take takes
  hallo guten tag morgen abend liebes liebe lieber sehr geehrte geehrter damen herren danke bitte grüße gruß grüsse gruss
  freundlichen mfg vg lg leider gerne gern möchte würde könnte können könnten mal noch schon eigentlich frage problem hilfe helfen
  brauche wissen sagen gibt geht warum wieso
  hola buenos buenas días dias tardes noches gracias favor saludos estimado estimados querido quisiera quiero necesito puede
  pueden podría podrían ayuda ayudar saber pregunta problema hacer tengo
  bonjour bonsoir salut merci svp cordialement madame monsieur voudrais veux peux pouvez pourriez aide aider savoir question
  problème besoin faire`.split(/\s+/),
)

/**
 * The words of a text that may tell what it is about, most telling first, at most 60: no courtesies, no long numbers;
 * long and repeated words before short ones.
 */
export function tellingWords(text: string): string[] {
  const counts = new Map<string, number>()
  const normal = text
    .slice(0, LONGEST_READ)
    .normalize('NFC')
    .toLowerCase()
    .replace(/['’`´]/g, '')
  for (const [word] of normal.matchAll(/[\p{L}\p{M}\p{N}]{2,40}/gu)) {
    if (CHATTER.has(word) || /\d{3}/.test(word)) continue
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const weight = ([word, count]: [string, number]): number => Math.min(word.length, 12) * Math.min(count, 3)
  return [...counts]
    .sort((a, b) => weight(b) - weight(a))
    .slice(0, MOST_WORDS)
    .map(([word]) => word)
}
