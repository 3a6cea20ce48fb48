import { resolve } from 'node:path'

import { InputMistake } from './input-mistake.ts'
import { readTable } from './read-table.ts'

/** A message and what it is about, for the intent classifier to learn from. */
export interface LabelledExample {
  text: string
  category: string
}

/** Labelled examples of a CSV or JSONL file with columns `text` and `category`; at least two categories. */
export function readExamples(file: string): LabelledExample[] {
  const examples = readTable(file, ['text', 'category']).map(({ line, cells }) => {
    const text = cells['text']?.trim() ?? ''
    const category = cells['category']?.trim() ?? ''
    if (text === '' || category === '')
      throw new InputMistake(
        `${resolve(file)}, line ${line}: the ${text === '' ? 'text' : 'category'} is empty.`,
      )
    return { text, category }
  })
  if (new Set(examples.map((example) => example.category)).size < 2)
    throw new InputMistake(
      `${resolve(file)}: all examples have the same category; a classifier needs at least two.`,
    )
  return examples
}
