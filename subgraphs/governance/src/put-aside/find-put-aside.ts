import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'

/** An event that is to be handled once more. */
export interface PutAside {
  organizationId: string
  /** Its number in the log. */
  seq: bigint
}

/** What this consumer put aside and somebody wants handled once more, of every tenant, at most 100. Needs the role `worker`. */
export async function findPutAside(database: Database, consumer: string): Promise<PutAside[]> {
  const { rows } = await database.pool('worker').query<PutAside>(
    `select organization_id as "organizationId", seq from (
       select organization_id, seq, row_number() over (partition by organization_id order by seq) as turn
       from put_aside_event where consumer = $1 and status = 'again') o order by turn, seq limit 100`,
    [consumer],
  )
  return rows
}

/** Writes down that what was put aside is handled. */
export async function settlePutAside(
  { database }: DomainServices,
  actor: Actor,
  consumer: string,
  seq: bigint,
): Promise<void> {
  await database.transact(actor, (client) =>
    client.query(
      `update put_aside_event set status = 'done' where organization_id = $1 and consumer = $2 and seq = $3`,
      [actor.organizationId, consumer, seq],
    ),
  )
}
