import { hash } from 'node:crypto'
import { entryOf, type ExportedEntry, faultOfAuditEntry, isCanonical, parseLine } from './exported-entry.ts'
import { MerkleTree } from './merkle-root.ts'
import { ACCOUNTS } from './owed.ts'
import { type ReadEntry, readText } from './read-text.ts'

/** What of a checkpoint a block is checked against. */
export interface Covering {
  firstSequence: number
  lastSequence: number
  hash: string
  root: string
}

/** What entries are checked against. */
export interface BlockSettings {
  organizationId: string | undefined
  /** Each after the one before it. */
  checkpoints: readonly Covering[]
}

/** Lines of which those after the first follow it, each the one before it, with nothing wrong. */
export interface CheckedBlock {
  /** What the first one says; it has not been checked itself. */
  first: number
  hash: string
  seq: string
  /** What follows it: the hash of an entry, or a checkpoint whose entries are all there and are what it signed. */
  steps: (string | Covering)[]
  /** The `seq` of the last one. */
  last: string
  /** Entries whose own of the trail is not there, or without its text, and those that say why. */
  owes: { entry: ExportedEntry; as: 'entry_missing' | 'entry_erased' | 'account' }[]
}

/**
 * Checks lines of an export that begin anywhere. Null: something is wrong, or may be, and has to be found line by line.
 *
 * Where a whole checkpoint is among them, text is hashed as it stands: if the hashes make the root that was signed, it
 * is the text that was sealed, and needs no parsing to know that it is canonical. What that does not fit, and all at the
 * edges, is parsed and made canonical as for a walk line by line.
 */
export function checkBlock(
  lines: readonly string[],
  { organizationId, checkpoints }: BlockSettings,
): CheckedBlock | null {
  const begin = parseLine(lines[0] ?? '')
  if (begin === null || 'path' in begin || typeof begin.seq !== 'string' || !SEQ.test(begin.seq)) return null
  const checked: CheckedBlock = {
    first: begin.sequence,
    hash: begin.hash,
    seq: begin.seq,
    steps: [],
    last: begin.seq,
    owes: [],
  }
  let sequence = begin.sequence
  let previous = begin.hash

  /** The entry of a line, when it follows. */
  function follow(line: string, asItStands: boolean): boolean {
    sequence += 1
    const read = (asItStands ? readText(line, previous) : null) ?? readParsed(line, previous, checked)
    if (
      read === null ||
      read.sequence !== sequence ||
      read.organizationId !== organizationId ||
      !isLater(read.seq, checked.last)
    )
      return false
    checked.last = read.seq
    previous = read.hash
    return true
  }

  let at = 0
  for (let index = 1; index < lines.length;) {
    while ((checkpoints[at]?.firstSequence ?? Infinity) <= sequence) at += 1
    const checkpoint = checkpoints[at]
    const size = checkpoint ? checkpoint.lastSequence - checkpoint.firstSequence + 1 : 0
    if (checkpoint?.firstSequence !== sequence + 1 || index + size > lines.length) {
      if (!follow(lines[index] ?? '', false)) return null
      checked.steps.push(previous)
      index += 1
      continue
    }
    const tree = new MerkleTree()
    for (const end = index + size; index < end; index += 1) {
      if (!follow(lines[index] ?? '', true)) return null
      tree.add(previous)
    }
    if (previous !== checkpoint.hash || tree.root() !== checkpoint.root) return null
    checked.steps.push(checkpoint)
  }
  return checked
}

const SEQ = /^\d{1,19}$/

const isLater = (seq: string, before: string): boolean =>
  seq.length > before.length || (seq.length === before.length && seq > before)

/** An entry as a walk reads it, if it follows, with that of the trail, or without where that is owed. */
function readParsed(line: string, previous: string, { owes }: CheckedBlock): ReadEntry | null {
  const entry = parseLine(line)
  if (entry === null || 'path' in entry) return null
  if (!isCanonical(entry, line)) return null
  const { sequence, hash: stated, organizationId, seq, type } = entry
  if (typeof seq !== 'string' || !/^[1-9]\d{0,18}$/.test(seq)) return null
  if (hash('sha256', `${previous}${sequence}${entryOf(entry)}`, 'hex') !== stated) return null
  const fault = faultOfAuditEntry(entry)
  if (fault === 'entry_altered') return null
  if (ACCOUNTS.includes(type)) owes.push({ entry, as: 'account' })
  if (fault !== null) owes.push({ entry, as: fault })
  return { sequence, hash: stated, organizationId, seq }
}
