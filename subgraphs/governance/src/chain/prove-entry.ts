import { isId } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import type pg from 'pg'
import type { DomainServices } from '../context.ts'
import { chainEntry, GENESIS } from './chain-entry.ts'
import { CHECKPOINT_COLUMNS, type CheckpointRow } from './checkpoint.ts'
import { merklePath } from './merkle.ts'

/** That an entry is in what a checkpoint signed. Hashes are hex. */
export interface Proof {
  sequence: number
  /** The entry as the chain covers it. */
  entry: string
  /** The hash before it, and its own: SHA-256 over previous, sequence and entry. */
  previous: string
  hash: string
  /** Its place among the checkpoint's entries, from 0, and how many those are. */
  index: number
  size: number
  /** The RFC 6962 audit path to the checkpoint's root. */
  path: string[]
  checkpoint: CheckpointRow
}

/** The proof of an audit entry; null when there is no such entry, or no checkpoint covers it yet. */
export async function proveEntry(
  { database }: DomainServices,
  actor: Actor,
  id: string,
): Promise<Proof | null> {
  if (!isId(id)) return null
  const { organizationId } = actor
  return database.transact(actor, async (client) => {
    const { rows: events } = await client.query<EventRecord>(
      `select organization_id as "organizationId", seq, id, type, subject, actor, data, time from log.event
       where organization_id = $1 and subject = $2 and run_id is null and type = 'audit.recorded'`,
      [organizationId, `audit/${id.toLowerCase()}`],
    )
    const [event] = events
    if (!event) return null
    return proveEvent(async (text, values) => (await client.query(text, values)).rows, event)
  })
}

/** A row of the chain, as {@link proveEvent} reads it. */
interface SealRow {
  eventSeq: bigint
  salt: string
  hash: Buffer
}

/** Reads rows within one tenant. */
export type Read = <Row extends pg.QueryResultRow>(text: string, values: unknown[]) => Promise<Row[]>

/** The proof of an event; null when no checkpoint covers it yet. */
export async function proveEvent(read: Read, event: EventRecord): Promise<(Proof & { salt: string }) | null> {
  const { organizationId } = event
  const [checkpoint] = await read<CheckpointRow & pg.QueryResultRow>(
    `select ${CHECKPOINT_COLUMNS} from audit_checkpoint where organization_id = $1 and last_event_seq >= $2
     order by number limit 1`,
    [organizationId, event.seq],
  )
  if (!checkpoint) return null
  const { firstSequence, lastSequence } = checkpoint
  const seals = await read<SealRow & pg.QueryResultRow>(
    `select event_seq as "eventSeq", encode(salt, 'hex') as salt, hash from audit_seal
     where organization_id = $1 and sequence between $2 and $3 order by sequence`,
    [organizationId, firstSequence - 1n, lastSequence],
  )
  const index = seals.findIndex(({ eventSeq }) => eventSeq === event.seq)
  const seal = seals[index]
  if (!seal) return null
  // The first checkpoint has nothing before it.
  const before = firstSequence > 1n ? 1 : 0
  const leaves = seals.slice(before).map(({ hash }) => hash)
  return {
    sequence: Number(firstSequence) + index - before,
    entry: chainEntry(event, seal.salt),
    previous: seals[index - 1]?.hash.toString('hex') ?? GENESIS,
    hash: seal.hash.toString('hex'),
    salt: seal.salt,
    index: index - before,
    size: leaves.length,
    path: merklePath(leaves, index - before).map((node) => node.toString('hex')),
    checkpoint,
  }
}
