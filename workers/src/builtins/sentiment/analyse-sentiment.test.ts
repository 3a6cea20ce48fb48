import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { analyseSentiment } from './analyse-sentiment.ts'

describe('the sentiment of a message', () => {
  test.each([
    ['angry', 'en', 'My order has not arrived and I am furious, this is the worst shop ever!!!'],
    ['angry', 'en', 'THIS IS A JOKE. NOBODY ANSWERS MY MAILS. I WANT MY MONEY BACK'],
    ['angry', 'en', 'You are idiots. Third time I write and still nothing.'],
    ['negative', 'en', 'The cup arrived broken and I am disappointed.'],
    ['negative', 'en', 'still waiting for my order, 3rd time i write'],
    ['neutral', 'en', 'Where is my order? I placed it on Tuesday.'],
    ['neutral', 'en', 'please help me change the address of my order'],
    ['positive', 'en', 'Thanks a lot, everything works great and the coffee is wonderful!'],
    ['angry', 'de', 'Wo bleibt mein Paket? Das ist eine Frechheit, ich bin stinksauer!'],
    ['negative', 'de', 'Die Kanne kam leider beschädigt an, ich bin enttäuscht.'],
    ['negative', 'de', 'Das ist nicht gut, ich warte seit Wochen auf die Lieferung'],
    ['neutral', 'de', 'Wie kann ich meine Bestellung zurückgeben?'],
    ['positive', 'de', 'Danke, das war super hilfreich und sehr freundlich'],
    ['angry', 'es', 'Mi pedido no ha llegado, estoy muy enfadado, es una vergüenza'],
    ['negative', 'es', 'No estoy contento con el pedido, la taza llegó rota'],
    ['neutral', 'es', '¿Dónde está mi pedido?'],
    ['positive', 'es', 'Muchas gracias, el servicio es excelente'],
    ['positive', 'fr', 'Merci beaucoup, le café est excellent et je suis ravi'],
  ])('is %s in %s: %s', (label, language, text) => {
    expect(analyseSentiment(text)).toMatchObject({ label, language })
  })

  test('names what makes it urgent', () => {
    const { urgency } = analyseSentiment(
      'Someone used my card, it was stolen! Block it immediately or I call my lawyer',
    )
    expect(urgency.level).toBe('high')
    expect(urgency.cues).toEqual(expect.arrayContaining(['security', 'asks_for_speed', 'threatens_law']))
  })

  test('is neutral and not urgent where nothing is written', () => {
    expect(analyseSentiment('')).toEqual({
      label: 'neutral',
      score: 0,
      language: 'en',
      urgency: { level: 'low', cues: [] },
    })
  })

  test('is a score between -1 and 1 for any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const { score } = analyseSentiment(text)
        expect(score).toBeGreaterThanOrEqual(-1)
        expect(score).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('is found in 20,000 characters by their beginning and their end', () => {
    const long = `${'My order and some words about it. '.repeat(600)} This is terrible and I am furious!!!`
    expect(analyseSentiment(long).label).toBe('angry')
  })
})
