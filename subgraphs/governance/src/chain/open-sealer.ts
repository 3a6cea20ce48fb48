import { randomFillSync } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import type { Kms } from '@tutti/runtime'
import type { EventRecord } from '@tutti/schema'
import { chainEntry, entryHash } from './chain-entry.ts'
import { type CheckpointStatement, signCheckpoint, statementHash } from './checkpoint.ts'
import { merkleRoot } from './merkle.ts'
import { type Head, readHeads } from './read-heads.ts'
import { type SigningKey, signingKey } from './signing-key.ts'

/** When a checkpoint is written: after so many entries, or so long after the first that none covers. */
export interface SealerSettings {
  entries?: number
  afterMs?: number
}

/** Writes the chains. One at a time: of two, the second fails at the first's rows, and reads anew. */
export interface Sealer {
  /** Puts events into their tenants' chains, in their order; those that are in already are passed over. */
  seal(events: readonly EventRecord[]): Promise<void>
  /** Signs what is due; answers with how many checkpoints that made. */
  checkpoint(): Promise<number>
  /** Somebody else may have written meanwhile. */
  forget(): void
}

const ENTRIES = 1_000
const AFTER_MS = 60_000
const SALT_BYTES = 16
/** Tenants without anything uncovered are kept in memory up to so many. */
const MOST_IDLE = 1_000

/** Opens the sealer; it reads where the chains stand as it comes to them. */
export function openSealer(
  { database, kms }: { database: Database; kms: Kms },
  { entries = ENTRIES, afterMs = AFTER_MS }: SealerSettings = {},
): Sealer {
  const pool = database.pool('sealer')
  const heads = new Map<string, Head>()
  let key: Promise<SigningKey> | undefined
  /** Whether what was left uncovered before is known. */
  let recalled = false
  let turn: Promise<unknown> = Promise.resolve()

  /** One after the other; what fails leaves nothing in memory that is not in the database. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work).catch((error: unknown) => {
      forget()
      throw error
    })
    turn = mine.catch(() => undefined)
    return mine
  }

  function forget(): void {
    heads.clear()
    recalled = false
  }

  async function seal(events: readonly EventRecord[]): Promise<void> {
    const unknown = new Set(events.map((event) => event.organizationId).filter((id) => !heads.has(id)))
    if (unknown.size > 0)
      for (const head of await readHeads(pool, [...unknown])) heads.set(head.organizationId, head)
    const salts = randomFillSync(Buffer.allocUnsafe(SALT_BYTES * events.length)).toString('hex')
    const columns = {
      organizations: new Array<string>(),
      sequences: new Array<string>(),
      seqs: new Array<string>(),
      salts: new Array<string>(),
      hashes: new Array<string>(),
    }
    for (const [index, event] of events.entries()) {
      const head = heads.get(event.organizationId)
      if (!head) throw new Error('A tenant without a head.')
      if (event.seq <= head.eventSeq) continue
      const salt = salts.slice(2 * SALT_BYTES * index, 2 * SALT_BYTES * (index + 1))
      head.sequence += 1n
      head.eventSeq = event.seq
      head.hash = entryHash(head.hash, head.sequence, chainEntry(event, salt))
      if (head.uncovered.length === 0) head.since = Date.now()
      head.uncovered.push({ hash: head.hash, eventSeq: event.seq })
      columns.organizations.push(event.organizationId)
      columns.sequences.push(String(head.sequence))
      columns.seqs.push(String(event.seq))
      columns.salts.push(salt)
      columns.hashes.push(head.hash)
    }
    if (columns.hashes.length === 0) return
    await pool.query({
      name: 'seal',
      text: `insert into audit_seal (organization_id, sequence, event_seq, salt, hash)
        select o, n, s, decode(salt, 'hex'), decode(hash, 'hex')
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) as t(o, n, s, salt, hash)`,
      values: [columns.organizations, columns.sequences, columns.seqs, columns.salts, columns.hashes],
    })
  }

  async function checkpoint(key: SigningKey): Promise<number> {
    if (!recalled) {
      for (const head of await readHeads(pool))
        if (!heads.has(head.organizationId)) heads.set(head.organizationId, head)
      recalled = true
    }
    let made = 0
    for (const head of heads.values()) {
      while (
        head.uncovered.length >= entries ||
        (head.uncovered.length > 0 && Date.now() - head.since >= afterMs)
      ) {
        await cover(head, key)
        made += 1
      }
    }
    if (heads.size > MOST_IDLE)
      for (const [id, head] of heads) if (head.uncovered.length === 0) heads.delete(id)
    return made
  }

  function loadKey(): Promise<SigningKey> {
    const loading = signingKey(database, kms)
    // A master key that comes later opens it then.
    loading.catch(() => (key = undefined))
    return loading
  }

  async function cover(head: Head, { keyId, privateKey }: SigningKey): Promise<void> {
    const covered = head.uncovered.slice(0, entries)
    const last = covered.at(-1)
    if (!last) return
    const firstSequence = Number(head.sequence) - head.uncovered.length + 1
    const statement: CheckpointStatement = {
      organizationId: head.organizationId,
      number: head.number + 1,
      firstSequence,
      lastSequence: firstSequence + covered.length - 1,
      hash: last.hash,
      root: merkleRoot(covered.map(({ hash }) => Buffer.from(hash, 'hex'))).toString('hex'),
      previous: head.statement,
      time: new Date().toISOString(),
      keyId,
    }
    const { signature } = signCheckpoint(statement, privateKey)
    await pool.query({
      name: 'checkpoint',
      text: `insert into audit_checkpoint (organization_id, number, first_sequence, last_sequence, last_event_seq, hash, root,
          previous, time, key_id, signature)
        values ($1, $2, $3, $4, $5, decode($6, 'hex'), decode($7, 'hex'), decode($8, 'hex'), $9, $10, decode($11, 'base64'))`,
      values: [
        statement.organizationId,
        statement.number,
        statement.firstSequence,
        statement.lastSequence,
        String(last.eventSeq),
        statement.hash,
        statement.root,
        statement.previous,
        statement.time,
        statement.keyId,
        signature,
      ],
    })
    head.number = statement.number
    head.statement = statementHash(statement)
    head.uncovered.splice(0, covered.length)
    head.since = Date.now()
  }

  return {
    seal: (events) => inTurn(() => seal(events)),
    async checkpoint() {
      const opened = await (key ??= loadKey())
      return inTurn(() => checkpoint(opened))
    },
    forget: () => void inTurn(async () => forget()),
  }
}
