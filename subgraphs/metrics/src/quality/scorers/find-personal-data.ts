/** A piece of personal data in a text. `value` is the text itself: show it to nobody who may not read the text. */
export interface PersonalData {
  readonly kind: 'email' | 'iban' | 'card' | 'phone'
  readonly value: string
}

const LONGEST_READ = 20_000

/** Whether digits are a card number's by Luhn's check digit (ISO/IEC 7812). */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return digits.length > 0 && sum % 10 === 0
}

/** Whether an IBAN's check digits hold (ISO 13616, modulo 97). */
export function isIban(text: string): boolean {
  const compact = text.replace(/\s/g, '').toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(compact)) return false
  let rest = 0
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    for (const digit of Number.parseInt(character, 36).toString()) rest = (rest * 10 + Number(digit)) % 97
  }
  return rest === 1
}

/** Finds e-mail addresses, IBANs, card numbers and telephone numbers; order numbers and amounts are none. */
export function findPersonalData(source: string): PersonalData[] {
  const found: PersonalData[] = []
  const take = (
    text: string,
    kind: PersonalData['kind'],
    pattern: RegExp,
    holds: (value: string) => boolean,
  ): string =>
    text.replace(pattern, (value) => {
      if (!holds(value)) return value
      found.push({ kind, value: value.trim() })
      // What is found once is not also a telephone number.
      return ' '
    })
  let text = source.slice(0, LONGEST_READ)
  text = take(
    text,
    'email',
    /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}/gu,
    () => true,
  )
  text = take(text, 'iban', /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}\b/gi, isIban)
  text = take(text, 'card', /(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])/g, (value) =>
    passesLuhn(value.replace(/\D/g, '')),
  )
  take(
    text,
    'phone',
    /(?<![\w.,-])(?:\+|00)[1-9](?:[\s\-/.()]{0,2}\d){7,13}(?!\d)|(?<![\w.,-])\(?0\d{1,4}\)?(?:[\s\-/.]{0,2}\d){6,10}(?!\d)/g,
    (value) => !/^\d{1,2}\.\d{1,2}\.\d{2,4}/.test(value),
  )
  return found
}
