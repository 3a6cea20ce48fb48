import { expect, test } from 'vitest'
import { detectLanguage } from './detect-language.ts'

test.each([
  ['Where is my order?', 'en'],
  ['Glass carafe arrived in pieces', 'en'],
  ['hola', 'es'],
  ['wo ist mein paket', 'de'],
  ['Falta un artículo en mi caja', 'es'],
  ['Ich möchte mein Abo kündigen', 'de'],
  ['¿Hacen envíos a Canarias?', 'es'],
  ['Je voudrais annuler ma commande', 'fr'],
])('the language of "%s" is %s', (text, language) => {
  expect(detectLanguage(text).language).toBe(language)
})

test.each(['', '12345', '😀'])('the language of %j is not certain', (text) => {
  expect(detectLanguage(text)).toEqual({ language: 'en', certain: false })
})
