import { createHash, createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import type { Fault } from './fault.ts'

/** A signed statement of how a part of a chain was; hashes are hex. */
export interface Checkpoint {
  organizationId: string
  number: number
  firstSequence: number
  lastSequence: number
  hash: string
  root: string
  previous: string
  time: string
  keyId: string
}

const GENESIS = '0'.repeat(64)
const SHOWN = 16
const KEY_ID = /^[0-9a-f]{16}$/

/** The key of a PEM text. Throws when it is none, or not Ed25519. */
export function readKey(pem: string): KeyObject {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('The key is not an Ed25519 public key.')
  return key
}

const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, SHOWN)

/**
 * The checkpoints of lines of JSON that are signed with the key, in order, and what is wrong with the others. Of one
 * organization: the one given, else that of the first line. The same line twice is one checkpoint: it is written again
 * after a crash.
 */
export function readCheckpoints(
  lines: Iterable<string>,
  key: KeyObject,
  organizationId?: string,
): { checkpoints: Checkpoint[]; faults: Fault[] } {
  const faults: Fault[] = []
  const checkpoints: Checkpoint[] = []
  const known = new Map<number, string>()
  const keyId = keyIdOf(key)
  let place = 0
  let of = organizationId
  for (const line of lines) {
    place += 1
    if (line.trim() === '') continue
    const parsed = parse(line)
    if (!parsed) {
      faults.push({
        kind: 'checkpoint_unreadable',
        sequence: 0,
        message: `Line ${place} of the checkpoints is none.`,
      })
      continue
    }
    const { signature, ...checkpoint } = parsed
    of ??= checkpoint.organizationId
    if (checkpoint.organizationId !== of) continue
    const { number, firstSequence: sequence } = checkpoint
    const text = canonicalJson(checkpoint)
    if (known.get(number) === text) continue
    const told = (kind: Fault['kind'], message: string): void =>
      void faults.push({ kind, sequence, checkpoint: number, message })
    if (checkpoint.keyId !== keyId) {
      told(
        'checkpoint_key',
        `Checkpoint ${number} is signed with another key, ${
          KEY_ID.test(checkpoint.keyId) ? checkpoint.keyId : 'whose id is none'
        }.`,
      )
    } else if (!verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))) {
      told('checkpoint_altered', `The signature of checkpoint ${number} does not fit it.`)
    } else if (known.has(number)) {
      told('checkpoint_altered', `There are two checkpoints with the number ${number}.`)
    } else {
      known.set(number, text)
      checkpoints.push(checkpoint)
    }
  }
  checkpoints.sort((a, b) => a.number - b.number)
  faults.push(...gapsIn(checkpoints, known))
  return { checkpoints, faults }
}

/** What is not there between checkpoints, or before the first. */
function gapsIn(checkpoints: readonly Checkpoint[], texts: ReadonlyMap<number, string>): Fault[] {
  const faults: Fault[] = []
  let before: Checkpoint | undefined
  for (const checkpoint of checkpoints) {
    const { number, firstSequence: sequence } = checkpoint
    const expected = (before?.number ?? 0) + 1
    if (number > expected) {
      const from = (before?.lastSequence ?? 0) + 1
      faults.push({
        kind: 'checkpoint_missing',
        sequence: from,
        checkpoint: expected,
        message: `Checkpoints ${expected} to ${number - 1} are missing (entries ${from} to ${sequence - 1}).`,
      })
    } else {
      const text = texts.get(number - 1)
      const previous = text === undefined ? GENESIS : hash('sha256', text, 'hex')
      if (checkpoint.previous !== previous || sequence !== (before?.lastSequence ?? 0) + 1)
        faults.push({
          kind: 'checkpoint_altered',
          sequence,
          checkpoint: number,
          message: `Checkpoint ${number} does not follow the one before it.`,
        })
    }
    before = checkpoint
  }
  return faults
}

function parse(line: string): (Checkpoint & { signature: string }) | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  return isCheckpoint(value) ? value : null
}

const TEXTS = ['organizationId', 'hash', 'root', 'previous', 'time', 'keyId', 'signature'] as const
const NUMBERS = ['number', 'firstSequence', 'lastSequence'] as const

function isCheckpoint(value: unknown): value is Checkpoint & { signature: string } {
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map<string, unknown>(Object.entries(value))
  return (
    fields.size === TEXTS.length + NUMBERS.length &&
    TEXTS.every((name) => typeof fields.get(name) === 'string') &&
    NUMBERS.every((name) => Number.isSafeInteger(fields.get(name)))
  )
}
