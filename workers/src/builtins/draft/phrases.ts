import type { Language } from '../language/detect-language.ts'

/** What a reply says besides the article: the same things in every language. */
export interface Phrases {
  readonly greeting: string
  readonly thanks: string
  readonly regret: string
  readonly apology: string
  readonly asked: (question: string) => string
  readonly onlyIn: (language: Language) => string
  readonly open: string
  readonly nothingFound: string
  readonly nothingWritten: string
  readonly closing: string
  readonly signOff: string
}

const NAMES: Record<Language, Record<Language, string>> = {
  en: { en: 'English', de: 'German', es: 'Spanish', fr: 'French' },
  de: { en: 'Englisch', de: 'Deutsch', es: 'Spanisch', fr: 'Französisch' },
  es: { en: 'inglés', de: 'alemán', es: 'español', fr: 'francés' },
  fr: { en: 'anglais', de: 'allemand', es: 'espagnol', fr: 'français' },
}

/** The phrases by language. */
export const PHRASES: Record<Language, Phrases> = {
  en: {
    greeting: 'Hello,',
    thanks: 'thank you for your message.',
    regret: 'thank you for your message. I am sorry for the trouble this has caused you.',
    apology: 'I am very sorry for this experience, and I understand that you are upset.',
    asked: (question) => `You wrote: “${question}”`,
    onlyIn: (language) => `We have this only in ${NAMES.en[language]} at the moment:`,
    open: 'On the following I have no reliable information, so a colleague needs to look at it:',
    nothingFound: 'I have no reliable information on your request, so a colleague needs to look at it.',
    nothingWritten:
      'your message reached us without any text. Please tell us what it is about and, if you have one, your order number, and we will look into it.',
    closing: 'If anything is still open, simply reply to this message.',
    signOff: 'Kind regards, your customer service',
  },
  de: {
    greeting: 'Guten Tag,',
    thanks: 'vielen Dank für Ihre Nachricht.',
    regret: 'vielen Dank für Ihre Nachricht. Es tut mir leid, dass Sie Ärger damit hatten.',
    apology: 'es tut mir sehr leid, was Sie erlebt haben, und ich verstehe Ihren Unmut.',
    asked: (question) => `Sie schrieben: „${question}“`,
    onlyIn: (language) => `Das haben wir zurzeit nur auf ${NAMES.de[language]}:`,
    open: 'Zum Folgenden habe ich keine verlässliche Auskunft, darum muss es sich jemand aus dem Team ansehen:',
    nothingFound:
      'Zu Ihrem Anliegen habe ich keine verlässliche Auskunft, darum muss es sich jemand aus dem Team ansehen.',
    nothingWritten:
      'Ihre Nachricht kam ohne Text bei uns an. Bitte schreiben Sie uns, worum es geht, und wenn vorhanden Ihre Bestellnummer, dann kümmern wir uns darum.',
    closing: 'Ist noch etwas offen, antworten Sie einfach auf diese Nachricht.',
    signOff: 'Freundliche Grüße, Ihr Kundenservice',
  },
  es: {
    greeting: 'Hola:',
    thanks: 'Gracias por su mensaje.',
    regret: 'Gracias por su mensaje. Siento las molestias que esto le ha causado.',
    apology: 'Siento mucho lo ocurrido y entiendo su enfado.',
    asked: (question) => `Usted escribió: «${question}»`,
    onlyIn: (language) => `De momento solo lo tenemos en ${NAMES.es[language]}:`,
    open: 'Sobre lo siguiente no tengo información fiable, por lo que debe verlo una persona del equipo:',
    nothingFound:
      'No tengo información fiable sobre su consulta, por lo que debe verla una persona del equipo.',
    nothingWritten:
      'Su mensaje nos llegó sin texto. Díganos por favor de qué se trata y, si lo tiene, su número de pedido, y lo revisaremos.',
    closing: 'Si queda algo pendiente, responda simplemente a este mensaje.',
    signOff: 'Un saludo cordial, su servicio de atención al cliente',
  },
  fr: {
    greeting: 'Bonjour,',
    thanks: 'merci pour votre message.',
    regret: 'merci pour votre message. Je suis désolé pour les désagréments.',
    apology: 'je suis vraiment désolé de ce qui est arrivé et je comprends votre mécontentement.',
    asked: (question) => `Vous avez écrit : « ${question} »`,
    onlyIn: (language) => `Nous ne l’avons pour le moment qu’en ${NAMES.fr[language]} :`,
    open: 'Sur le point suivant je n’ai pas d’information fiable, une personne de l’équipe doit donc le voir :',
    nothingFound:
      'Je n’ai pas d’information fiable sur votre demande, une personne de l’équipe doit donc la voir.',
    nothingWritten:
      'votre message nous est parvenu sans texte. Dites-nous de quoi il s’agit et, si vous l’avez, votre numéro de commande.',
    closing: 'S’il reste une question, répondez simplement à ce message.',
    signOff: 'Cordialement, votre service client',
  },
}
