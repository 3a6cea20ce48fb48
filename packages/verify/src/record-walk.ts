import { hash, type KeyObject } from 'node:crypto'
import type { CheckedBlock } from './check-block.ts'
import {
  type Attestation,
  entryOf,
  type ExportedEntry,
  faultOfAuditEntry,
  isCanonical,
  parseLine,
  textOf,
} from './exported-entry.ts'
import type { Fault, FaultKind } from './fault.ts'
import { MerkleTree, rootFrom } from './merkle-root.ts'
import { Owed } from './owed.ts'
import { type Checkpoint, readCheckpoints } from './read-checkpoints.ts'

export interface VerifySettings {
  /** Lines of JSON, from a place that who keeps the database cannot write. */
  checkpoints: Iterable<string>
  key: KeyObject
  /** Whose record it is; that of the export's first line unless given. */
  organizationId?: string | undefined
  /** Where the export begins: 1, or right after a checkpoint. */
  from?: number | undefined
  /** Where the export was asked to end; at the last checkpoint or later unless given. */
  to?: number | undefined
}

/** What was found. */
export interface Report {
  organizationId: string | undefined
  entries: number
  checkpoints: number
  /** How many entries at the end no checkpoint covers: the chain alone speaks for them. */
  uncovered: number
  /** How many entries of the trail were pruned, as the chain says. */
  pruned: number
  /** How many entries of the trail have no text any more, since a key of it was destroyed, as the chain says. */
  erased: number
  /** In the order in which they were found, at most {@link MOST_FAULTS}. */
  faults: Fault[]
  /** True: there were more. */
  more: boolean
}

/** What is known when the first line has been taken, so that others can check lines that come later. */
export interface Standing {
  organizationId: string | undefined
  checkpoints: readonly Checkpoint[]
}

/** Goes through an export from its first line to its last, and finds what is wrong. */
export interface RecordWalk {
  /** Takes the next line; null: it is no UTF-8. */
  take(line: string | null): void
  /**
   * Takes the next line, and those after it as somebody else has checked them. False: where it stands after the line,
   * what was checked does not follow, and has to be taken line by line.
   */
  follow(line: string, checked: CheckedBlock): boolean
  /** Null before the first line. */
  standing(): Standing | null
  /** After the last line. */
  end(): Report
}

const MOST_FAULTS = 1_000
const GENESIS = '0'.repeat(64)
const HASH = /^[0-9a-f]{64}$/

/** Opens a walk. A fault says what and where; the lines after it are verified against what is stated, so that one change is one fault. */
export function openWalk({
  checkpoints: checkpointLines,
  key,
  organizationId,
  from = 1,
  to,
}: VerifySettings): RecordWalk {
  const known = [...checkpointLines]
  const faults: Fault[] = []
  let more = false
  const told = (kind: FaultKind, sequence: number, message: string, checkpoint?: number): void => {
    if (faults.length >= MOST_FAULTS) more = true
    else faults.push({ kind, sequence, message, ...(checkpoint === undefined ? {} : { checkpoint }) })
  }

  let of = organizationId
  let signed: Checkpoint[] = []
  let opened = false
  let entries = 0
  let expected = from
  let lastSeq = 0n
  /** The hash that is stated for the entry before, and what it was computed to be; empty: not known. */
  let stated = from === 1 ? GENESIS : ''
  let computed = stated
  /** The checkpoint that covers the next entry, and the tree over what came of it. */
  let at = 0
  let tree = new MerkleTree()
  let whole = false
  const owed = new Owed()

  function open(line?: ExportedEntry): void {
    opened = true
    of ??= textOf(line?.organizationId)
    const read = readCheckpoints(known, key, of)
    signed = read.checkpoints
    for (const fault of read.faults) told(fault.kind, fault.sequence, fault.message, fault.checkpoint)
    if (from !== 1) {
      const before = signed.find(({ lastSequence }) => lastSequence === from - 1)
      if (before) stated = computed = before.hash
      else
        told(
          'checkpoint_missing',
          from,
          `No checkpoint ends right before entry ${from}, where the export begins.`,
        )
    }
    at = signed.findIndex(({ lastSequence }) => lastSequence >= from)
    if (at < 0) at = signed.length
  }

  /** Goes to the checkpoint that covers an entry; where that begins with it, its tree can be whole. */
  function begin(sequence: number): void {
    while (at < signed.length && (signed[at]?.lastSequence ?? 0) < sequence) next()
    if (signed[at]?.firstSequence === sequence) whole = true
  }

  /** Puts an entry into the tree of its checkpoint, and compares roots where that ends. */
  function cover(sequence: number, hex: string): void {
    const checkpoint = signed[at]
    if (!checkpoint || sequence < checkpoint.firstSequence) return
    if (whole) tree.add(hex)
    if (sequence < checkpoint.lastSequence) return
    const { number, firstSequence, lastSequence } = checkpoint
    const size = lastSequence - firstSequence + 1
    if (whole && tree.count === size && tree.root() !== checkpoint.root)
      told(
        'root_differs',
        firstSequence,
        `Entries ${firstSequence} to ${lastSequence} are not what checkpoint ${number} signed.`,
        number,
      )
    else if (whole && stated !== checkpoint.hash)
      told(
        'root_differs',
        lastSequence,
        `Entry ${lastSequence} is not what checkpoint ${number} signed.`,
        number,
      )
    next()
  }

  function next(): void {
    at += 1
    tree = new MerkleTree()
    whole = false
  }

  function take(text: string | null): void {
    const parsed = text === null ? null : parseLine(text)
    if (text !== null && parsed !== null && !isCanonical(parsed, text)) {
      const { sequence } = 'path' in parsed ? parsed.attestation : parsed
      told('not_canonical', sequence, `The line of entry ${sequence} is not written as an export writes it.`)
    }
    if (parsed !== null && 'path' in parsed) {
      attest(parsed)
      return
    }
    const line = parsed
    if (!opened) open(line ?? undefined)
    if (!line) {
      told('unreadable', expected, `What should be entry ${expected} is no entry.`)
      // It may have been this entry; the next line says.
      stated = computed = ''
      return
    }
    const { sequence } = line
    if (sequence < expected) {
      told(
        'repeated',
        sequence,
        `Entry ${sequence} stands where entry ${expected} should: once more, or out of its order.`,
      )
      return
    }
    if (sequence > expected) {
      const last = sequence - 1
      told(
        'missing',
        expected,
        last === expected ? `Entry ${expected} is missing.` : `Entries ${expected} to ${last} are missing.`,
      )
      stated = computed = ''
      whole = false
    }
    entries += 1
    expected = sequence + 1
    begin(sequence)
    const entry = entryOf(line)
    const follows = (previous: string): string =>
      previous === '' ? '' : hash('sha256', `${previous}${sequence}${entry}`, 'hex')
    const hashed = follows(stated)
    // After an entry whose stated hash was changed, what was computed is what the next one follows.
    const fits = hashed === line.hash || (computed !== stated && follows(computed) === line.hash)
    if (stated === '' ? !HASH.test(line.hash) : !fits) altered(sequence)
    else if (line.organizationId !== of)
      told('foreign', sequence, `Entry ${sequence} is of another organization.`)
    else if (!isLater(line.seq))
      told('repeated', sequence, `The event of entry ${sequence} is not after the one before it.`)
    else owed.settle(line)
    const audited = faultOfAuditEntry(line)
    if (audited === 'entry_altered')
      told(audited, sequence, `The audit entry of entry ${sequence} is not what the chain says.`)
    else if (audited === 'entry_erased') owed.addErased(line)
    else if (audited) owed.add(line)
    computed = hashed === '' ? line.hash : hashed
    stated = line.hash
    cover(sequence, line.hash)
  }

  /** An event after the end, that says what of the export is gone: it has to be in what a checkpoint signed. */
  function attest({ attestation: event, previous, index, size, path, checkpoint }: Attestation): void {
    const signer = signed.find(({ number }) => number === checkpoint)
    const hashed = hash('sha256', `${previous}${event.sequence}${entryOf(event)}`, 'hex')
    if (
      signer &&
      event.organizationId === of &&
      hashed === event.hash &&
      size === signer.lastSequence - signer.firstSequence + 1 &&
      index === event.sequence - signer.firstSequence &&
      rootFrom(hashed, index, size, path) === signer.root
    )
      owed.settle(event)
    else
      told(
        'altered',
        event.sequence,
        `Nothing signed shows entry ${event.sequence}, which follows the export.`,
      )
  }

  /** The root over what was altered differs too, which says no more. */
  function altered(sequence: number): void {
    told('altered', sequence, `Entry ${sequence} is not what its hash says.`)
    whole = false
  }

  /** Events come in the order of the log. */
  function isLater(seq: unknown): boolean {
    const position = typeof seq === 'string' && /^\d{1,19}$/.test(seq) ? BigInt(seq) : -1n
    const later = position > lastSeq
    if (later) lastSeq = position
    return later
  }

  function follow(text: string, { first, hash: firstHash, seq, steps, last, owes }: CheckedBlock): boolean {
    take(text)
    if (expected !== first + 1 || stated !== firstHash || computed !== stated || lastSeq !== BigInt(seq))
      return false
    for (const step of steps) {
      begin(expected)
      if (typeof step === 'string') {
        stated = computed = step
        cover(expected, step)
        expected += 1
      } else {
        stated = computed = step.hash
        expected = step.lastSequence + 1
        next()
      }
    }
    entries += expected - first - 1
    lastSeq = BigInt(last)
    for (const { entry, as } of owes) {
      if (as === 'account') owed.settle(entry)
      else if (as === 'entry_erased') owed.addErased(entry)
      else owed.add(entry)
    }
    return true
  }

  function end(): Report {
    if (!opened) open()

    for (const sequence of owed.missing())
      told('entry_missing', sequence, `The audit entry of entry ${sequence} is missing.`)
    const end = expected - 1
    const last = signed.at(-1)
    const until = to ?? last?.lastSequence ?? 0
    if (end < until) told('truncated', expected, `It ends at entry ${end}; it should go on to ${until}.`)
    if (signed.length === 0 && faults.length === 0)
      told('checkpoint_missing', from, 'There is no checkpoint of this record.')
    return {
      organizationId: of,
      entries,
      checkpoints: signed.length,
      uncovered: Math.max(0, end - Math.max(last?.lastSequence ?? 0, from - 1)),
      pruned: owed.pruned,
      erased: owed.erased,
      faults,
      more,
    }
  }

  return {
    take,
    follow,
    standing: () => (opened ? { organizationId: of, checkpoints: signed } : null),
    end,
  }
}
