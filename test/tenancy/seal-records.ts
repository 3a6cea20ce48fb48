import { openSealer } from '@tutti/governance/domain'
import { createKms } from '@tutti/runtime'
import type { EventRecord } from '@tutti/schema'
import type { World } from '../world/start-world.ts'

/** Puts all that happened so far into the chains of its tenants, with a checkpoint each: no worker does it here. */
export async function sealRecords(world: World): Promise<void> {
  const rows = await world.asOwner<Omit<EventRecord, 'seq'> & { position: string }>(
    `select organization_id as "organizationId", seq::text as position, id, type, subject, actor, data, time
     from log.event order by seq`,
  )
  const sealer = openSealer({ database: world.data.database, kms: createKms(world) }, { entries: 1 })
  await sealer.seal(rows.map(({ position, ...event }) => ({ ...event, seq: BigInt(position) })))
  await sealer.checkpoint()
}
