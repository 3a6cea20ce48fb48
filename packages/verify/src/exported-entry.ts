import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** A line of an export: an entry of the chain with its event. What was deleted is null. */
export interface ExportedEntry {
  sequence: number
  hash: string
  salt: unknown
  organizationId: unknown
  seq: unknown
  id: unknown
  type: unknown
  subject: unknown
  time: unknown
  actor: unknown
  data: unknown
  /** The entry of the audit trail, of `audit.recorded`. */
  entry?: unknown
}

const FIELDS = 11

/** A line at the end of an export that ends before the chain: an event after it, and that a checkpoint signed it. */
export interface Attestation {
  attestation: ExportedEntry
  /** The hash before it. */
  previous: string
  /** Its place among the entries of the checkpoint, how many those are, and the audit path to their root, hex. */
  index: number
  size: number
  path: string[]
  /** The checkpoint's number. */
  checkpoint: number
}

const sha256 = (text: string): string => hash('sha256', text, 'hex')

/** A text that may be something else: undefined then. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** No event is nested as deeply: what goes through a value calls itself for each level. */
const MOST_LEVELS = 1_000

/** Parses a line; null when it is none of an export. */
export function parseLine(text: string): ExportedEntry | Attestation | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  // Each level takes two characters.
  if (text.length > 2 * MOST_LEVELS && isDeeper(value, MOST_LEVELS)) return null
  return isEntry(value) ? value : attestationOf(value)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((item) => isDeeper(item, levels - 1))
}

/** Whether a line is the RFC 8785 form of what was parsed from it: no key twice, in order, nothing between. */
export const isCanonical = (line: ExportedEntry | Attestation, text: string): boolean =>
  canonicalJson(line) === text

const isCount = (value: unknown): value is number => Number.isSafeInteger(value)

function attestationOf(value: unknown): Attestation | null {
  if (typeof value !== 'object' || value === null || !('attestation' in value)) return null
  const fields = new Map<string, unknown>(Object.entries(value))
  const event = fields.get('attestation')
  const [previous, path] = [fields.get('previous'), fields.get('path')]
  const [index, size, checkpoint] = [fields.get('index'), fields.get('size'), fields.get('checkpoint')]
  return isEntry(event) &&
    typeof previous === 'string' &&
    isCount(index) &&
    isCount(size) &&
    isCount(checkpoint) &&
    Array.isArray(path) &&
    path.every((node) => typeof node === 'string')
    ? { attestation: event, previous, index, size, path, checkpoint }
    : null
}

function isEntry(value: unknown): value is ExportedEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sequence' in value &&
    Number.isSafeInteger(value.sequence) &&
    'hash' in value &&
    typeof value.hash === 'string' &&
    'salt' in value &&
    'organizationId' in value &&
    'seq' in value &&
    'id' in value &&
    'type' in value &&
    'subject' in value &&
    'time' in value &&
    'actor' in value &&
    'data' in value &&
    Object.keys(value).length === FIELDS + ('entry' in value ? 1 : 0)
  )
}

/** An entry as the chain covers it: RFC 8785, in which `content` is the commitment to actor and data. */
export function entryOf({
  salt,
  actor,
  data,
  id,
  organizationId,
  seq,
  subject,
  time,
  type,
}: ExportedEntry): string {
  const content = sha256(`${textOf(salt) ?? ''}${canonicalJson({ actor, data })}`)
  return JSON.stringify({ content, id, organizationId, seq, subject, time, type })
}

/** What is wrong with the audit entry of a line, or what the chain has to account for; null: nothing, also where there is to be none. */
export type EntryFinding = 'entry_missing' | 'entry_altered' | 'entry_erased' | null

/**
 * Looks at the audit entry of a line. Of one whose text was erased the commitment is there in its place, and it names the
 * keys that the text was under.
 */
export function faultOfAuditEntry({ type, data, entry }: ExportedEntry): EntryFinding {
  if (type !== 'audit.recorded') return entry === undefined ? null : 'entry_altered'
  if (typeof entry !== 'object' || entry === null) return 'entry_missing'
  const { details, summary, salt, text: stated, ...columns }: Record<string, unknown> = { ...entry }
  const erased = details === undefined && summary === undefined && salt === undefined
  const text = erased ? stated : sha256(`${textOf(salt) ?? ''}${canonicalJson({ details, summary })}`)
  const digest = sha256(canonicalJson({ ...columns, text }))
  const fits = typeof data === 'object' && data !== null && 'digest' in data && data.digest === digest
  if (!fits || typeof text !== 'string' || (stated !== undefined && stated !== text)) return 'entry_altered'
  return erased ? 'entry_erased' : null
}

/** The keys that the text of a line's audit entry was under. */
export function keysOf({ entry }: ExportedEntry): string[] {
  const keys: unknown = typeof entry === 'object' && entry !== null && 'keyIds' in entry ? entry.keyIds : null
  return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : []
}
