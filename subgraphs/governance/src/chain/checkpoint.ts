import { type KeyObject, sign } from 'node:crypto'
import { canonical, sha256 } from '../audit/commitment.ts'

/** What a checkpoint says, and what is signed in its RFC 8785 form. Hashes are hex. */
export interface CheckpointStatement {
  organizationId: string
  /** From 1, without gap. */
  number: number
  /** The entries it covers: those since the checkpoint before. */
  firstSequence: number
  lastSequence: number
  /** The hash of the last one. */
  hash: string
  /** The Merkle root over their hashes. */
  root: string
  /** SHA-256 of the statement before it; zeros of the first. */
  previous: string
  /** ISO 8601, UTC, milliseconds. */
  time: string
  keyId: string
}

/** A statement and its Ed25519 signature, base64. */
export interface Checkpoint extends CheckpointStatement {
  signature: string
}

/** What the checkpoint after this one calls `previous`. */
export const statementHash = (statement: CheckpointStatement): string => sha256(canonical(statement))

/** Signs a statement. */
export function signCheckpoint(statement: CheckpointStatement, key: KeyObject): Checkpoint {
  const signature = sign(null, Buffer.from(canonical(statement)), key).toString('base64')
  return { ...statement, signature }
}

/** A checkpoint as it is kept outside the database: a line of JSON. */
export const checkpointLine = (checkpoint: Checkpoint): string => `${canonical(checkpoint)}\n`

/** A row of `audit_checkpoint`. */
export interface CheckpointRow extends Omit<Checkpoint, 'firstSequence' | 'lastSequence' | 'time'> {
  firstSequence: bigint
  lastSequence: bigint
  time: Date
  publishedAt: Date | null
}

/** {@link CheckpointRow} of the table `audit_checkpoint`. */
export const CHECKPOINT_COLUMNS = `organization_id as "organizationId", number, first_sequence as "firstSequence",
  last_sequence as "lastSequence", encode(hash, 'hex') as hash, encode(root, 'hex') as root,
  encode(previous, 'hex') as previous, time, key_id as "keyId", encode(signature, 'base64') as signature,
  published_at as "publishedAt"`

/** The checkpoint of a row. */
export function checkpointOf(row: CheckpointRow): Checkpoint {
  const { publishedAt: _, firstSequence, lastSequence, time, ...rest } = row
  return {
    ...rest,
    // 64 bytes as base64 make more than a line of it.
    signature: rest.signature.replaceAll('\n', ''),
    firstSequence: Number(firstSequence),
    lastSequence: Number(lastSequence),
    time: time.toISOString(),
  }
}
