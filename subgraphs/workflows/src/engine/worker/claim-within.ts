import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { findRoom } from '../../limits/find-room.ts'
import type { LimitMemory } from '../../limits/limit-memory.ts'
import { type ClaimedRow, claimStrands, claimThese } from '../store/claim-strands.ts'
import { inTransaction } from '../store/in-transaction.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

/**
 * Claims up to `most` strands: of tenants without limits at once, of the others what their limits have room for, found
 * and claimed in one transaction under the limits' locks. `passedBy` are tenants that get none this time; `lost` also
 * looks for leases that ran out.
 */
export async function claimWithin(
  pool: pg.Pool,
  limits: LimitMemory,
  { most, passedBy, lost }: { most: number; passedBy: readonly string[]; lost: boolean },
): Promise<ClaimedRow[]> {
  const limited = [...(await limits.limitedOrganizations(pool))].filter((id) => !passedBy.includes(id))
  const without = [...limited, ...passedBy]
  const free = (limit: number) =>
    claimStrands(pool, { limit, claim: randomUUID(), actor: WORKER_ACTOR, without, lost })
  if (limited.length === 0) return free(most)
  const rows = await free(Math.ceil(most / 2))
  rows.push(...(await claimLimited(pool, limited, most - rows.length)))
  if (rows.length < most) rows.push(...(await free(most - rows.length)))
  return rows
}

function claimLimited(pool: pg.Pool, organizations: readonly string[], most: number): Promise<ClaimedRow[]> {
  return inTransaction(pool, async (client) => {
    const ids = await findRoom(client, organizations, most)
    return claimThese(client, { ids, claim: randomUUID(), actor: WORKER_ACTOR })
  })
}
