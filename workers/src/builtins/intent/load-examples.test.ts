import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExamplesError, loadExamples, parseExamples } from './load-examples.ts'

const WANTED = [
  { text: 'Where is my card?', intent: 'card_arrival' },
  { text: 'He said "no", twice', intent: 'refused' },
]

describe('labelled examples', () => {
  test.each([
    ['text,category', 'csv'],
    ['Text,Label', 'csv'],
    ['\uFEFFmessage,intent', 'csv'],
  ] as const)('are read from CSV with the header %s', (header, format) => {
    const source = `${header}\nWhere is my card?,card_arrival\n"He said ""no"", twice",refused\n`
    expect(parseExamples(source, format)).toEqual(WANTED)
  })

  test('are read from JSON Lines, whichever name the label has', async () => {
    const source =
      '{"text":"Where is my card?","category":"card_arrival"}\n\n{"label":"refused","text":"He said \\"no\\", twice"}\n'
    expect(await loadExamples(source)).toEqual(WANTED)
  })

  test('may have other columns, blank texts and line breaks inside a text', () => {
    const source = 'id,text,category\n1,"two\nlines",a\n2,,b\n3,three,c\n'
    expect(parseExamples(source, 'csv')).toEqual([
      { text: 'two\nlines', intent: 'a' },
      { text: 'three', intent: 'c' },
    ])
  })

  test.each([
    ['words,category\nhello,greeting\n', 'csv', /row 1: no column for the text.*found words, category/],
    ['text,topic\nhello,greeting\n', 'csv', /row 1: no column for the label/],
    ['text,category\nhello,greeting\nbye,\n', 'csv', /row 3: the label is missing/],
    ['text,category\nhello,greeting,extra\n', 'csv', /line 2/],
    ['', 'csv', /row 1: the file is empty/],
    ['text,category\n', 'csv', /no example/],
    ['{"text":"a","label":"b"}\nnonsense\n', 'jsonl', /row 2: not a JSON value/],
    ['[1]\n', 'jsonl', /row 1: not a JSON object/],
    ['{"text":7,"label":"b"}\n', 'jsonl', /row 1: the text is missing/],
    ['{"text":"a","label":7}\n', 'jsonl', /row 1: the label is missing/],
  ] as const)('are refused where they cannot be used: %j', (source, format, message) => {
    expect(() => parseExamples(source, format)).toThrow(message)
    expect(() => parseExamples(source, format)).toThrow(ExamplesError)
  })

  test('are either read or refused, whatever is in the file', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('csv' as const, 'jsonl' as const), (source, format) => {
        const read = (): unknown => parseExamples(source, format)
        const refused = ((): unknown => {
          try {
            return void read()
          } catch (error) {
            return error
          }
        })()
        expect(refused === undefined || refused instanceof ExamplesError).toBe(true)
      }),
    )
  })
})
