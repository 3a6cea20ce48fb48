import { globSync, readFileSync } from 'node:fs'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publishArticles } from '../articles/publish-articles.ts'
import { searchArticles } from './search-articles.ts'

const directory = new URL('../../../../examples/customer-service/knowledge/', import.meta.url).pathname
const list = (front: string, key: string): string[] =>
  (new RegExp(`^${key}: \\[(.*)\\]$`, 'm').exec(front)?.[1] ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)

const articles = globSync('*.md', { cwd: directory }).map((file) => {
  const [, front = '', body = ''] = readFileSync(directory + file, 'utf8').split(/^---$/m)
  const value = (key: string) => new RegExp(`^${key}: "?(.*?)"?$`, 'm').exec(front)?.[1] ?? ''
  return {
    externalId: value('id'),
    title: value('title'),
    language: value('language'),
    body,
    tags: [...list(front, 'intents'), ...list(front, 'tags')],
  }
})

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('operator')
  await publishArticles(world, actor, { articles })
})
afterAll(() => world[Symbol.asyncDispose]())

test.each([
  ['where is my order', 'order-tracking.en'],
  ['Hi, can I still change the delivery address? I moved last week', 'change-address.en'],
  ['How long do refunds take until the money is on my bank account?', 'refunds.en'],
  ['my parcel was marked as delivered but it is not here, maybe stolen', 'parcel-missing.en'],
  ['the bag arrived damaged and the coffee is all over the box', 'damaged-or-wrong.en'],
  ['pause my subscription for august', 'pause-subscription.en'],
  ['please cancel the subscription', 'cancel-subscription.en'],
  ['my promo code does not work', 'promo-codes.en'],
  ['how should I store coffee, in the fridge?', 'storing-coffee.en'],
  ['i forgot my pasword and cannot log in', 'account-login.en'],
  ['refnud status', 'refunds.en'],
  ['Wo bleibt mein Paket? Es wurde angeblich zugestellt', 'parcel-missing.de'],
  ['Ich möchte meine Bestellung stornieren', 'cancel-order.de'],
  ['Können Sie mir eine Rechnungskopie schicken?', 'invoices.de'],
  ['Passwort vergessen', 'account-login.de'],
  ['quiero cancelar mi suscripción', 'cancel-subscription.es'],
  ['cambiar la direccion de entrega', 'change-address.es'],
  ['cuándo recibo el reembolso de mi dinero', 'refunds.es'],
])('finds: %s', async (text, expected) => {
  const [best] = await searchArticles(world, actor, { text })
  expect(best?.article.externalId).toBe(expected)
  expect(best?.score).toBeGreaterThan(0.35)
})

test.each([
  'do you offer a warranty on machines',
  'are you hiring baristas at the moment',
  'what is the capital of France',
  'ich suche einen Job als Praktikant',
  'gift cards',
  'I have a nut allergy',
  'asdf qwer',
])('says with a low score that nothing fits: %s', async (text) => {
  const [best] = await searchArticles(world, actor, { text })
  expect(best?.score ?? 0).toBeLessThan(0.35)
})

test('prefers articles in the language and with the tags asked for', async () => {
  const grinder = 'recieved a dammaged grinder'
  const [inEnglish] = await searchArticles(world, actor, {
    text: grinder,
    language: 'en',
    tags: ['damaged_item'],
  })
  expect(inEnglish?.article.externalId).toBe('damaged-or-wrong.en')

  const vague = 'I want to send the grinder back'
  const [tagged] = await searchArticles(world, actor, { text: vague, language: 'en', tags: ['return_item'] })
  expect(tagged?.article.externalId).toBe('returns.en')
  const [german] = await searchArticles(world, actor, { text: 'DHL', language: 'de' })
  expect(german?.article.language).toBe('de')
})

test('shows the passage that fits, without markup', async () => {
  const [hit] = await searchArticles(world, actor, {
    text: 'how many days does a refund need after my parcel has reached you',
    first: 1,
  })
  expect(hit?.excerpt).toContain('2-4 working days')
  expect(hit?.excerpt).not.toMatch(/[*<>#]|\n/)
})

test('20,000 characters, quotes, operators and NUL are words like any other', async () => {
  const long = articles
    .map(({ body }) => body)
    .join(' ')
    .slice(0, 20_000)
  expect((await searchArticles(world, actor, { text: long })).length).toBeGreaterThan(0)
  for (const text of ["o'rder & (track | ':*", 'refund:*A <-> \\', 'order\0status', '🤷 refund \ud800']) {
    for (const hit of await searchArticles(world, actor, { text })) expect(hit.score).toBeLessThanOrEqual(1)
  }
})

test.each(['', '   ', 'hi', '?!', 'the'])('finds nothing for %j', async (text) => {
  expect(await searchArticles(world, actor, { text })).toEqual([])
})

test('one tenant never finds the articles of another', async () => {
  const stranger = await world.organization('admin')
  expect(
    await searchArticles(world, stranger, { text: 'where is my order', tags: ['order_status'] }),
  ).toEqual([])
})
