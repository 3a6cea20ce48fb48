import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import { z } from 'zod'

/** One labelled message. */
export interface IntentExample {
  readonly text: string
  readonly intent: string
}

/** How labelled examples are written down. */
export type ExamplesFormat = 'csv' | 'jsonl'

/** Labelled examples that cannot be used; the message names the row a person has to mend. */
export class ExamplesError extends Error {
  override readonly name = 'ExamplesError'
}

const TEXT_COLUMNS = ['text', 'message', 'utterance']
const LABEL_COLUMNS = ['category', 'label', 'intent']

const row = z.object({ text: z.string(), label: z.string().trim().min(1) })

function column(names: readonly string[], wanted: readonly string[], what: string): string {
  const found = names.find((name) => wanted.includes(name))
  if (found === undefined) {
    throw new ExamplesError(
      `row 1: no column for the ${what}; expected one of ${wanted.join(', ')}, found ${names.join(', ')}`,
    )
  }
  return found
}

function fromCsv(source: string): { number: number; text: unknown; label: unknown }[] {
  let records: { record: Record<string, string>; info: { lines: number } }[]
  let names: string[] = []
  try {
    records = parse<{ record: Record<string, string>; info: { lines: number } }>(source, {
      bom: true,
      columns: (header: string[]) => (names = header.map((name) => name.trim().toLowerCase())),
      info: true,
      skip_empty_lines: true,
    })
  } catch (error) {
    if (error instanceof CsvError) throw new ExamplesError(error.message)
    throw error
  }
  if (names.length === 0) throw new ExamplesError('row 1: the file is empty; expected a header text,category')
  const text = column(names, TEXT_COLUMNS, 'text')
  const label = column(names, LABEL_COLUMNS, 'label')
  return records.map(({ record, info }) => ({ number: info.lines, text: record[text], label: record[label] }))
}

function fromJsonLines(source: string): { number: number; text: unknown; label: unknown }[] {
  return source
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => {
      if (line.trim() === '') return []
      const number = index + 1
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch {
        throw new ExamplesError(`row ${number}: not a JSON value`)
      }
      const record = z.record(z.string(), z.unknown()).safeParse(value)
      if (!record.success) throw new ExamplesError(`row ${number}: not a JSON object`)
      const label = LABEL_COLUMNS.map((name) => record.data[name]).find((one) => one !== undefined)
      const text = TEXT_COLUMNS.map((name) => record.data[name]).find((one) => one !== undefined)
      return [{ number, text, label }]
    })
}

/**
 * Reads labelled examples from text: CSV with a header (`text,category`, `text,label` or
 * `text,intent`), or JSON Lines with the same names. Rows whose text is blank are left out, as they
 * teach nothing. Throws {@link ExamplesError} with the line a mistake ends on.
 */
export function parseExamples(source: string, format: ExamplesFormat): IntentExample[] {
  const rows = format === 'csv' ? fromCsv(source) : fromJsonLines(source)
  const examples: IntentExample[] = []
  for (const { number, text, label } of rows) {
    const parsed = row.safeParse({ text, label })
    if (!parsed.success) {
      const wrong =
        parsed.error.issues[0]?.path[0] === 'text' ? 'the text is missing' : 'the label is missing or empty'
      throw new ExamplesError(`row ${number}: ${wrong}`)
    }
    if (parsed.data.text.trim() !== '') examples.push({ text: parsed.data.text, intent: parsed.data.label })
  }
  if (examples.length === 0) throw new ExamplesError('there is no example in it')
  return examples
}

/** The format a file's name or a text's beginning tells. */
export function formatOf(pathOrText: string): ExamplesFormat {
  if (/\.(jsonl|ndjson)$/i.test(pathOrText)) return 'jsonl'
  if (/\.csv$/i.test(pathOrText)) return 'csv'
  return pathOrText.trimStart().startsWith('{') ? 'jsonl' : 'csv'
}

/**
 * Reads labelled examples from a file, or from a text given directly (a text has a line break, a
 * path has none). The format is told by the ending or the first character unless given.
 */
export async function loadExamples(pathOrText: string, format?: ExamplesFormat): Promise<IntentExample[]> {
  const source = await readExamplesSource(pathOrText)
  return parseExamples(source, format ?? formatOf(pathOrText))
}

/** The text of the examples; throws {@link ExamplesError} when the file cannot be read. */
export async function readExamplesSource(pathOrText: string): Promise<string> {
  if (pathOrText.includes('\n')) return pathOrText
  try {
    return await readFile(pathOrText, 'utf8')
  } catch (error) {
    throw new ExamplesError(
      `cannot read ${pathOrText}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
