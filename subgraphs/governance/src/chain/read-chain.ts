import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { CHECKPOINT_COLUMNS, type CheckpointRow } from './checkpoint.ts'

/** How far an organization's chain has come. */
export interface ChainState {
  /** How many entries it has. */
  sealedThrough: number
  /** How long the oldest event that is not in it has waited, in seconds; 0: all are. */
  lag: number
  lastCheckpoint: CheckpointRow | null
  /** What checkpoints are signed with, as PEM; null before the first. */
  publicKey: string | null
}

/** Reads how far the chain of the actor's organization has come. */
export async function readChain({ database }: DomainServices, actor: Actor): Promise<ChainState> {
  const { organizationId } = actor
  return database.transact(actor, async (client) => {
    const { rows } = await client.query<{ sealedThrough: bigint; lag: number; publicKey: string | null }>(
      `with head as (
         select sequence, event_seq from audit_seal where organization_id = $1 order by sequence desc limit 1)
       select coalesce((select sequence from head), 0) as "sealedThrough",
         coalesce((select greatest(0, extract(epoch from clock_timestamp() - e.time)) from log.event e
           where e.organization_id = $1 and e.seq > coalesce((select event_seq from head), 0)
           order by e.seq limit 1), 0)::float8 as lag,
         (select public_key from log.signing_key order by number desc limit 1) as "publicKey"`,
      [organizationId],
    )
    const { rows: checkpoints } = await client.query<CheckpointRow>(
      `select ${CHECKPOINT_COLUMNS} from audit_checkpoint where organization_id = $1 order by number desc limit 1`,
      [organizationId],
    )
    const [state] = rows
    return {
      sealedThrough: Number(state?.sealedThrough ?? 0n),
      lag: state?.lag ?? 0,
      lastCheckpoint: checkpoints[0] ?? null,
      publicKey: state?.publicKey ?? null,
    }
  })
}
