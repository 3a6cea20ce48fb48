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

/** What a spreadsheet begins a formula with, also in full width; it passes over spaces before it. */
const FORMULA = /^(?:[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/
/** The same behind what parts cells where a comma does not: quotes in a line keep nothing together there. Never fails, so that it is linear. */
const WITHIN = /([;|\t\r\n][;|\s"]*)([=+\-@\uff1d\uff0b\uff0d\uff20]?)/g

/** In quotes, whatever it holds. What a spreadsheet would take for a formula is text, also where `;` or a tab parts cells. */
function cell(value: unknown): string {
  if (value == null) return ''
  const text =
    typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : JSON.stringify(value)
  const harmless = (FORMULA.test(text) ? `'${text}` : text).replaceAll(
    WITHIN,
    (_, parting: string, sign: string) => (sign === '' ? parting : `${parting}'${sign}`),
  )
  return `"${harmless.replaceAll('"', '""')}"`
}
