import { hash } from 'node:crypto'
import { ACCOUNTS } from './owed.ts'

/** What a line says, once it is known to follow. */
export interface ReadEntry {
  sequence: number
  hash: string
  organizationId: unknown
  seq: string
}

const sha256 = (text: string): string => hash('sha256', text, 'hex')

const REST = ',"hash":"'
const RECORDED = 'audit.recorded'
/** What follows actor, data and entry in a line. */
const EVENT =
  /,"hash":"([0-9a-f]{64})",("id":"[0-9a-f-]{36}","organizationId":"([0-9a-f-]{36})"),"salt":"([0-9a-f]{32})",("seq":"([1-9]\d{0,18})"),"sequence":([1-9]\d{0,14}),("subject":"[^"\\]*","time":"[^"\\]*","type":"([^"\\]*)"\})$/y

/**
 * An entry by the text of its line, if that follows; null: it has to be parsed. What is hashed as it stands, and is what was
 * sealed, needs no parsing to know that it is canonical.
 */
export function readText(line: string, previous: string): ReadEntry | null {
  const end = line.lastIndexOf(REST)
  if (end < 0) return null
  EVENT.lastIndex = end
  const match = EVENT.exec(line)
  if (match === null) return null
  const [, stated = '', ids, organizationId, salt, position, seq = '', sequence, rest, type = ''] = match
  if (ACCOUNTS.includes(type)) return null
  const split = type === RECORDED ? line.indexOf(ENTRY) : end
  if (split < 0) return null
  const content = sha256(`${salt}${line.slice(0, split)}}`)
  const entry = `{"content":"${content}",${ids},${position},${rest}`
  if (sha256(`${previous}${sequence}${entry}`) !== stated) return null
  if (type === RECORDED && !isAuditEntry(line.slice(split + ENTRY.length - 1, end), digestIn(line, split)))
    return null
  return { sequence: Number(sequence), hash: stated, organizationId, seq }
}

const ENTRY = ',"entry":{'
const DATA = ',"data":{'
const DIGEST =
  /,"data":\{(?:"actionType":"[^"\\]*",)?"digest":"([0-9a-f]{64})","entryId":"[^"\\]*"\}(?=,"entry":\{)/y

/** The digest that the data of an event says, which ends there; empty: none. */
function digestIn(line: string, end: number): string {
  DIGEST.lastIndex = line.lastIndexOf(DATA, end)
  return DIGEST.exec(line)?.[1] ?? ''
}

const HEAD =
  /^\{"actionType":"[^"\\]*","actorId":"[^"\\]*","actorKind":"[^"\\]*","agentId":(?:null|"[^"\\]*"),"authorityVersion":(?:null|"[^"\\]*"),"classification":"[^"\\]*"(?=,"details":)/
const DETAILS = ',"details":'
const DOMAIN = ',"domain":"'
const TASKS = ',"relatedTasks":['
/** From those on to the end: the only value in it that is no plain one is before the salt. */
const TAIL =
  /,"relatedTasks":\[(?:"[^"\\]*"(?:,"[^"\\]*")*)?\],"salt":"([0-9a-f]{32})"(,"significance":"[^"\\]*","subject":"[^"\\]*"),"summary":("[^"\\]*(?:\\.[^"\\]*)*")(?:,"text":"([0-9a-f]{64})")?(,"timestamp":"[^"\\]*"\})$/y

/**
 * Whether the text of an audit entry is what a digest covers, in its canonical form. Details, salt and summary stand between
 * columns: they are cut out where they belong, and what is left with their commitment has to be what was hashed. False: it is
 * another, or one of another form that has to be parsed.
 */
function isAuditEntry(text: string, digest: string): boolean {
  const head = HEAD.exec(text)?.[0]
  if (head === undefined) return false
  const tasks = text.lastIndexOf(TASKS)
  TAIL.lastIndex = tasks
  const match = tasks < 0 ? null : TAIL.exec(text)
  if (match === null) return false
  const [, salt = '', significance = '', summary, stated, timestamp] = match
  const middle = text.lastIndexOf(DOMAIN, tasks)
  if (middle < head.length) return false
  const details = text.slice(head.length + DETAILS.length, middle)
  const commitment = sha256(`${salt}{"details":${details},"summary":${summary}}`)
  if (stated !== undefined && stated !== commitment) return false
  const beforeSalt = text.indexOf(',"salt":"', tasks)
  const columns = `${head}${text.slice(middle, beforeSalt)}${significance},"text":"${commitment}"${timestamp}`
  return sha256(columns) === digest
}
