import { InputMistake } from './input-mistake.ts'

/** One record of a CSV file; `line` is where it begins, counted from 1. */
export interface CsvRecord {
  line: number
  fields: string[]
}

/**
 * Comma- or semicolon-separated text (RFC 4180: quotes, doubled quotes, line breaks inside quotes) as records.
 * The separator is the one its first line has more of, since spreadsheets of half of Europe write semicolons.
 * Blank lines are left out; a quote that is never closed is an {@link InputMistake} with the line where it opened.
 */
export function parseCsv(text: string, name: string): CsvRecord[] {
  const firstLine = text.slice(0, text.search(/\r?\n|$/))
  const separator = firstLine.split(';').length > firstLine.split(',').length ? ';' : ','
  const records: CsvRecord[] = []
  let record: CsvRecord = { line: 1, fields: [] }
  let field = ''
  let line = 1
  let quotedSince: number | undefined
  let wasQuoted = false

  const endField = () => {
    record.fields.push(field)
    field = ''
    wasQuoted = false
  }
  const endRecord = () => {
    const blank = record.fields.length === 0 && field === '' && !wasQuoted
    endField()
    if (!blank) records.push(record)
    record = { line: line + 1, fields: [] }
  }

  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quotedSince !== undefined) {
      if (char === '"' && text[at + 1] === '"') {
        field += '"'
        at++
      } else if (char === '"') quotedSince = undefined
      else {
        field += char
        if (char === '\n') line++
      }
    } else if (char === '"' && field === '') {
      quotedSince = line
      wasQuoted = true
    } else if (char === separator) endField()
    else if (char === '\n' || (char === '\r' && text[at + 1] === '\n')) {
      if (char === '\r') at++
      endRecord()
      line++
    } else field += char
  }
  if (quotedSince !== undefined)
    throw new InputMistake(`${name}, line ${quotedSince}: a quote opens here and never closes.`)
  endRecord()
  return records
}
