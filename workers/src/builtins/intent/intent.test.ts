import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { intentModelFor, parseExamples, predictIntent, trainInThread, trainIntentModel } from './index.ts'
import type { IntentModel } from './index.ts'
import { seededRandom, shuffled } from './seeded-random.ts'
import { deserialiseIntentModel, serialiseIntentModel } from './serialise-intent-model.ts'

// Three intents in three languages, made of openings and objects so that no two messages are alike.
const PHRASES: Record<
  string,
  readonly (readonly [openings: readonly string[], objects: readonly string[]])[]
> = {
  opening_hours: [
    [
      ['When do you open', 'What time do you close', 'Are you open'],
      ['on Sunday', 'on a public holiday', 'in the evening', 'at the weekend'],
    ],
    [
      ['Wann öffnen Sie', 'Bis wann haben Sie geöffnet', 'Haben Sie offen'],
      ['am Sonntag', 'am Feiertag', 'abends', 'am Wochenende'],
    ],
    [
      ['¿A qué hora abren', '¿Cuándo cierran', '¿Están abiertos'],
      ['el domingo', 'en festivo', 'por la tarde', 'el fin de semana'],
    ],
  ],
  lost_ticket: [
    [
      ['I lost', 'I cannot find', 'Somebody stole'],
      ['my swimming ticket', 'my season pass', 'my entry card', 'the locker ticket'],
    ],
    [
      ['Ich habe verloren:', 'Ich finde nicht mehr', 'Mir wurde gestohlen:'],
      ['meine Eintrittskarte', 'meine Saisonkarte', 'den Pass fürs Bad', 'die Karte vom Spind'],
    ],
    [
      ['He perdido', 'No encuentro', 'Me robaron'],
      ['mi entrada', 'mi abono de temporada', 'la tarjeta de acceso', 'el tique de la taquilla'],
    ],
  ],
  book_course: [
    [
      ['I want to book', 'Please sign me up for', 'Can I register for'],
      ['the beginners course', 'a swimming lesson', 'aqua fitness classes', 'the diving course for children'],
    ],
    [
      ['Ich möchte buchen:', 'Bitte melden Sie mich an für', 'Kann ich mich anmelden für'],
      ['den Anfängerkurs', 'Schwimmunterricht', 'Aqua-Fitness', 'den Tauchkurs für Kinder'],
    ],
    [
      ['Quiero reservar', 'Apúnteme por favor a', '¿Puedo inscribirme en'],
      ['el curso para principiantes', 'una clase de natación', 'aquagym', 'el curso de buceo infantil'],
    ],
  ],
}

const SMALL = Object.entries(PHRASES).flatMap(([intent, groups]) =>
  groups.flatMap(([openings, objects]) =>
    openings.flatMap((opening) => objects.map((object) => ({ text: `${opening} ${object}`, intent }))),
  ),
)
const SMALL_CSV = `text,category\n${SMALL.map(({ text, intent }) => `"${text}",${intent}`).join('\n')}\n`

const STRANGERS = [
  'Whisk two eggs with flour and fry thin pancakes',
  'Tiger, tiger, burning bright in the forests of the night',
  'What opening should I play against the Sicilian defence?',
  'function add(a, b) { return a + b; }',
  'sdlkfj woeiru xcvmn qpwoe',
  'Who was the first woman in space?',
  'Wer reitet so spät durch Nacht und Wind?',
  'Das Schnitzel in Mehl und Ei wenden',
  '¿Cómo se hace una paella valenciana?',
  'Caminante, no hay camino, se hace camino al andar',
]

describe('a model of three intents in three languages', () => {
  let model: IntentModel
  beforeAll(() => {
    model = trainIntentModel(SMALL)
  })

  test.each([
    ['do you open on sunday morning?', 'opening_hours'],
    ['i lost the season pass', 'lost_ticket'],
    ['bitte melden sie mich zum Schwimmunterricht an', 'book_course'],
    ['Haben Sie am Feiertag geöffnet?', 'opening_hours'],
    ['no encuentro el abono', 'lost_ticket'],
    ['quiero reservar una clase de buceo', 'book_course'],
  ])('knows what "%s" is about', (text, intent) => {
    expect(predictIntent(model, text)).toMatchObject({ intent, fits: true })
  })

  test('says of nearly everything else that it fits nothing', () => {
    const rejected = STRANGERS.filter((text) => !predictIntent(model, text).fits)
    expect(rejected.length).toBeGreaterThanOrEqual(9)
  })

  test.each(['', '   \n', '!!! ...', '😀😀', '\u0000'])('says that %j fits nothing', (text) => {
    expect(predictIntent(model, text)).toMatchObject({ intent: null, fits: false })
  })

  test('names three alternatives, best first, whose probabilities are at most one', () => {
    const { alternatives } = predictIntent(model, 'I lost my pass')
    const confidences = alternatives.map((one) => one.confidence)
    expect(alternatives).toHaveLength(3)
    expect(confidences).toEqual([...confidences].sort((left, right) => right - left))
    expect(confidences.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1.001)
  })

  test('answers any text at all with probabilities', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const { confidence, fits, intent } = predictIntent(model, text)
        expect(confidence).toBeGreaterThanOrEqual(0)
        expect(confidence).toBeLessThanOrEqual(1)
        expect(fits).toBe(intent !== null)
      }),
    )
  })

  test('is the same model when it is trained again', () => {
    expect(trainIntentModel(SMALL).weights).toEqual(model.weights)
  })

  test('survives being written and read', () => {
    const read = deserialiseIntentModel(serialiseIntentModel(model))
    expect(predictIntent(read, 'I lost my pass')).toEqual(predictIntent(model, 'I lost my pass'))
  })

  test('is refused when its parts do not belong together', () => {
    const wrong = { ...model, intents: [...model.intents, 'one_more'] }
    expect(() => deserialiseIntentModel(serialiseIntentModel(wrong))).toThrow(/weights/)
  })
})

describe('training', () => {
  test('refuses examples of one intent', () => {
    expect(() => trainIntentModel([{ text: 'hello', intent: 'greeting' }])).toThrow(/at least two/)
  })

  test('in a thread gives the model that training here gives', async () => {
    const model = await trainInThread({ source: SMALL_CSV, format: 'csv', options: {} })
    expect(model.weights).toEqual(trainIntentModel(parseExamples(SMALL_CSV, 'csv')).weights)
  })

  test('in a thread says what is wrong with the examples', async () => {
    const order = { source: 'text,category\nhello,\n', format: 'csv', options: {} } as const
    await expect(trainInThread(order)).rejects.toThrow('row 2: the label is missing or empty')
  })

  test('in a thread ends when it is aborted', async () => {
    const controller = new AbortController()
    const training = trainInThread({ source: SMALL_CSV, format: 'csv', options: {} }, controller.signal)
    controller.abort(new Error('no longer wanted'))
    await expect(training).rejects.toThrow('no longer wanted')
  })
})

describe('the model for some examples', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-intent-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  test('is trained once for two who ask at once', async () => {
    const [one, other] = await Promise.all([
      intentModelFor({ examples: SMALL_CSV }),
      intentModelFor({ examples: SMALL_CSV }),
    ])
    expect(one).toBe(other)
  })

  test('changes with the file, is kept on disk, and a damaged copy there is replaced', async () => {
    const file = join(directory, 'examples.csv')
    const cacheDirectory = join(directory, 'models')
    await writeFile(file, SMALL_CSV)
    const first = await intentModelFor({ examples: file, cacheDirectory, options: { seed: 3 } })
    expect(await intentModelFor({ examples: file, cacheDirectory, options: { seed: 3 } })).toBe(first)
    expect(await readdir(cacheDirectory)).toHaveLength(1)

    const more = `${SMALL_CSV}"where can I park",parking\n"is there a car park",parking\n`
    await writeFile(file, more)
    const second = await intentModelFor({ examples: file, cacheDirectory, options: { seed: 3 } })
    expect(second.intents).toContain('parking')
    for (const name of await readdir(cacheDirectory)) await writeFile(join(cacheDirectory, name), 'damaged')
    await writeFile(file, `${more}"how much is parking",parking\n`)
    const third = await intentModelFor({ examples: file, cacheDirectory, options: { seed: 3 } })
    expect(third.report.examples).toBe(second.report.examples + 1)
  })

  test('is refused with the path when the file is not there', async () => {
    await expect(intentModelFor({ examples: join(directory, 'absent.csv') })).rejects.toThrow(
      /cannot read .*absent\.csv/,
    )
  })
})

// Real messages, from outside the project; where they are not at hand this is shown as skipped.
const BANKING = new URL('../../../../../shared/data/banking77/train.csv', import.meta.url)

describe.skipIf(!existsSync(BANKING))('10,003 real messages of 77 intents', () => {
  test(
    'are classified at 85 % or better where held out, and strangers are rejected',
    { timeout: 120_000 },
    () => {
      const all = shuffled(parseExamples(readFileSync(BANKING, 'utf8'), 'csv'), seededRandom(11))
      const model = trainIntentModel(all.filter((_, index) => index % 5 !== 0))
      const held = all.filter((_, index) => index % 5 === 0)
      const right = held.filter(({ text, intent }) => predictIntent(model, text).intent === intent)
      const rejected = held.filter(({ text }) => !predictIntent(model, text).fits)
      const strangers = STRANGERS.filter((text) => !predictIntent(model, text).fits)
      expect(right.length / held.length).toBeGreaterThanOrEqual(0.85)
      expect(rejected.length / held.length).toBeLessThan(0.05)
      expect(strangers.length).toBeGreaterThanOrEqual(9)
    },
  )
})
