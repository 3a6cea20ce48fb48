import { resolve } from 'node:path'

import { InputMistake } from './input-mistake.ts'
import { readTable } from './read-table.ts'

/** What a customer wrote, and where. */
export interface CustomerMessage {
  id: string
  channel: string
  customer: string
  text: string
}

/**
 * Customer messages of a JSONL or CSV file with a column `text`; `id`, `channel` and `customer` are optional.
 * A row without an id is known by its line, so the same file gives the same ids again.
 */
export function readMessages(file: string): CustomerMessage[] {
  const lineOf = new Map<string, number>()
  return readTable(file, ['text']).map(({ line, cells }) => {
    const id = cells['id']?.trim() || `line-${line}`
    const before = lineOf.get(id)
    if (before !== undefined)
      throw new InputMistake(
        `${resolve(file)}, line ${line}: the id "${id}" is already used in line ${before}.`,
      )
    lineOf.set(id, line)
    return {
      id,
      channel: cells['channel']?.trim() || 'file',
      customer: cells['customer']?.trim() || 'unknown',
      text: cells['text'] ?? '',
    }
  })
}
