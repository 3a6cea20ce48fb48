import { canonical } from '../audit/commitment.ts'
import type { AuditEntryRow } from '../audit/audit-entry-row.ts'

/** Columns of an export as CSV, in their order. */
const COLUMNS = [
  'id',
  'timestamp',
  'actorId',
  'actorKind',
  'agentId',
  'onBehalfOf',
  'actionType',
  'domain',
  'summary',
  'details',
  'outcome',
  'policyVersion',
  'authorityVersion',
  'classification',
  'significance',
  'subject',
  'relatedTasks',
] as const satisfies readonly (keyof AuditEntryRow)[]

/** What a file of this format begins with. */
export const headerOf = (format: 'jsonl' | 'csv'): string =>
  format === 'csv' ? `${COLUMNS.join(',')}\r\n` : ''

/** An entry as a line: JSON (RFC 8785), or CSV (RFC 4180), in which what is no text is JSON. */
export function entryLine(format: 'jsonl' | 'csv', entry: AuditEntryRow): string {
  if (format === 'jsonl') {
    const columns = COLUMNS.map((name): [string, unknown] => [name, entry[name]])
    return `${canonical({ ...Object.fromEntries(columns), ...(entry.erased ? { erased: true } : {}) })}\n`
  }
  return `${COLUMNS.map((name) => cell(entry[name])).join(',')}\r\n`
}

function cell(value: unknown): string {
  if (value == null) return ''
  const text =
    typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : JSON.stringify(value)
  // What a spreadsheet would take for a formula is text.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
