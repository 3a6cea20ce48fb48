// Words that say nothing of what a message is about, in the four languages; without accents.
const STOP_WORDS = new Set(
  `a about after again all also am an and any are as at be because been before being but by can cannot could did do does doing
  dont for from get give go got had has have having he hello her here hi him his how i if im in into is it its ive just know let like
  made make many may me mine more most much my need no nor not now of off ok on one only or other our out over please really
  same say says she should since so some still such tell than thank thanks that the their them then there these they thing
  things this those to too u under until up us very want was we were what when where which while who whom whose why will with
  would yes yet you your yours regards dear sorry hey cheers kind best im ill id wont doesnt isnt didnt cant pls plz team
  possible question help work works think thought see look way new old two three first second third day days week weeks
  aber alle allem allen aller alles als also am an andere auch auf aus bei beim bekomme bekommen bin bis bitte da danke dann das dass dein dem
  den denn der des die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas
  euch euer fur gibt grusse grussen gruss guten hab habe haben hallo hat hatte hatten hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ist ja
  jetzt kann kein keine keinen konnen konnte kriege liebe mal man mein meine meinem meinen meiner mich mir mit mochte muss
  nach nicht noch nun nur ob oder ohne schon sehr sein seine seit sich sie sind so soll sollte tag tagen um und uns unser unsere
  unter viel viele vielen vom von vor wann war waren warum was weil welche welchem welchen welcher wenn wer werde werden wie wieder
  will wir wird wo woran worden wurde wurden zu zum zur mfg damen herren geehrte freundlichen tage wochen woche
  a al algo ante aqui asi aun bien buenas buenos como con cual cuando cuanto cuantos cuanta de del desde dia dias donde dos el ella ellos
  en entre era es esa ese eso esta estaba estan estar estas este esto estos estoy favor fue gracias ha hace hacer han hasta hay he hola
  la las le les lo los mas me mi mis mucho muy nada ni no nos nuestro o os otra otro para pero poco por porque puede pueden
  puedo que quien quiero saber se sea ser si sin sobre solo son soy su sus tambien tan te tengo tiene tienen todo todos tu tus un
  una uno unos usted ustedes va vamos y ya yo saludos semana semanas quisiera podria
  au aux avec bonjour c ca ce ces cet cette comme comment d dans de des deux du elle en est et etait ete etes eu fait il ils j je
  l la le les leur lui m ma mais me merci mes moi mon n ne nos notre nous on ont ou par pas peut peux plus pour pouvez pourquoi
  qu quand que quel quelle qui quoi s sa sans se ses si son sont suis sur ta te tes toi ton tous tout tres tu un une vos votre
  vous y voudrais jour jours semaine`.split(/\s+/),
)

/** Lower case without accents: how words are compared across what people type and what articles say. */
export function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
}

// Six letters hold what is common to "deliver", "delivery" and "delivered", or "zurückgeben" and "zurückschicken".
const STEM_LENGTH = 6

/** The stems of the words that carry meaning, in order, each once. */
export function contentStems(text: string): string[] {
  const stems = new Set<string>()
  for (const word of plain(text)
    .replace(/['’]/g, '')
    .match(/[\p{L}]{2,}/gu) ?? []) {
    if (!STOP_WORDS.has(word)) stems.add(word.length > STEM_LENGTH ? word.slice(0, STEM_LENGTH) : word)
  }
  return [...stems]
}
