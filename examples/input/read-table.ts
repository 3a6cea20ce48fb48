import { extname, resolve } from 'node:path'

import { InputMistake } from './input-mistake.ts'
import { parseCsv } from './parse-csv.ts'
import { readTextFile } from './read-text-file.ts'

/** One row of a table a person brought: its columns by lower-case name, and the line where it stands. */
export interface TableRow {
  line: number
  cells: Record<string, string | undefined>
}

function readCsv(text: string, path: string, columns: readonly string[]): TableRow[] {
  const [header, ...records] = parseCsv(text, path)
  const names = header?.fields.map((name) => name.trim().toLowerCase()) ?? []
  const missing = columns.filter((column) => !names.includes(column))
  if (missing.length > 0)
    throw new InputMistake(
      `${path}: no column "${missing.join('", "')}"; its first line has ${names.map((name) => `"${name}"`).join(', ') || 'nothing'}.`,
    )
  return records.map(({ line, fields }) => {
    if (fields.length !== names.length)
      throw new InputMistake(
        `${path}, line ${line}: ${fields.length} fields where the first line has ${names.length}. A field with a comma in it must stand in quotes.`,
      )
    return { line, cells: Object.fromEntries(names.map((name, at) => [name, fields[at]])) }
  })
}

function readJsonLines(text: string, path: string, columns: readonly string[]): TableRow[] {
  const rows: TableRow[] = []
  for (const [at, source] of text.split('\n').entries()) {
    if (source.trim() === '') continue
    const line = at + 1
    let value: unknown
    try {
      value = JSON.parse(source)
    } catch (error) {
      throw new InputMistake(
        `${path}, line ${line}: not JSON (${error instanceof Error ? error.message : String(error)}).`,
      )
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InputMistake(`${path}, line ${line}: a JSON object is needed, such as {"text": "..."}.`)
    const cells: TableRow['cells'] = {}
    for (const [name, cell] of Object.entries(value))
      if (typeof cell === 'string' || typeof cell === 'number') cells[name.toLowerCase()] = String(cell)
    for (const column of columns)
      if (cells[column] === undefined)
        throw new InputMistake(`${path}, line ${line}: "${column}" is missing or not a text.`)
    rows.push({ line, cells })
  }
  return rows
}

/**
 * A CSV file (with a header) or JSONL file in which every row has the given columns; other columns come along.
 * Every mistake is an {@link InputMistake} with path and line.
 */
export function readTable(file: string, columns: readonly string[]): TableRow[] {
  const path = resolve(file)
  const kind = extname(path).toLowerCase()
  if (!['.csv', '.jsonl', '.ndjson'].includes(kind))
    throw new InputMistake(`${path}: a .csv or .jsonl file is needed, not "${kind || 'no extension'}".`)
  const text = readTextFile(path)
  const rows = kind === '.csv' ? readCsv(text, path, columns) : readJsonLines(text, path, columns)
  if (rows.length === 0) throw new InputMistake(`${path}: there is no row in it.`)
  return rows
}
