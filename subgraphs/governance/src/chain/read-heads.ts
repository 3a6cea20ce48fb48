import type { Database } from '@tutti/prisma'
import { GENESIS } from './chain-entry.ts'
import { CHECKPOINT_COLUMNS, checkpointOf, type CheckpointRow, statementHash } from './checkpoint.ts'

type Pool = ReturnType<Database['pool']>

/** Where a tenant's chain ends, and what of it no checkpoint covers. Hashes are hex. */
export interface Head {
  organizationId: string
  sequence: bigint
  eventSeq: bigint
  hash: string
  /** Of the last checkpoint; 0 and {@link GENESIS} before the first. */
  number: number
  statement: string
  /** What no checkpoint covers yet, in order, and since when, in milliseconds since the epoch. */
  uncovered: { hash: string; eventSeq: bigint }[]
  since: number
}

interface SealRow {
  organizationId: string
  sequence: bigint
  eventSeq: bigint
  hash: string
}

/**
 * Where chains end: of these tenants, whether or not they have one; of all that have something uncovered, when none are
 * named. Needs the role `sealer`.
 */
export async function readHeads(pool: Pool, organizationIds?: readonly string[]): Promise<Head[]> {
  const ids = organizationIds ?? (await readTenants(pool))
  const { rows: checkpoints } = await pool.query<CheckpointRow>(
    `select c.* from unnest($1::uuid[]) o(id), lateral (
       select ${CHECKPOINT_COLUMNS} from audit_checkpoint where organization_id = o.id order by number desc limit 1) c`,
    [ids],
  )
  const last = new Map(checkpoints.map((row) => [row.organizationId, row]))
  // From the last one that a checkpoint covers on, since it says where the chain ends when there are no others.
  const { rows: seals } = await pool.query<SealRow>(
    `select s.* from unnest($1::uuid[], $2::bigint[]) o(id, covered), lateral (
       select organization_id as "organizationId", sequence, event_seq as "eventSeq", encode(hash, 'hex') as hash
       from audit_seal where organization_id = o.id and sequence >= covered order by sequence) s`,
    [ids, ids.map((id) => String(last.get(id)?.lastSequence ?? 0n))],
  )
  const chains = Map.groupBy(seals, ({ organizationId }) => organizationId)
  const heads = ids.map((organizationId): Head => {
    const covered = last.get(organizationId)
    const chain = chains.get(organizationId) ?? []
    const end = chain.at(-1)
    return {
      organizationId,
      sequence: end?.sequence ?? 0n,
      eventSeq: end?.eventSeq ?? 0n,
      hash: end?.hash ?? GENESIS,
      number: covered?.number ?? 0,
      statement: covered ? statementHash(statementOf(covered)) : GENESIS,
      uncovered: chain.filter(({ sequence }) => sequence > (covered?.lastSequence ?? 0n)),
      since: Date.now(),
    }
  })
  return organizationIds ? heads : heads.filter(({ uncovered }) => uncovered.length > 0)
}

function statementOf(row: CheckpointRow) {
  const { signature: _, ...statement } = checkpointOf(row)
  return statement
}

/** Every tenant that has a chain, each found by one look at the index. */
async function readTenants(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `with recursive tenant(id) as (
       (select organization_id from audit_seal order by organization_id limit 1)
       union all
       select (select organization_id from audit_seal where organization_id > tenant.id order by organization_id limit 1)
       from tenant where tenant.id is not null)
     select id from tenant where id is not null`,
  )
  return rows.map(({ id }) => id)
}
