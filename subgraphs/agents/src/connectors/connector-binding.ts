import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { type ConnectorOutbound, outboundRecord } from './connector-row.ts'

/** How a connector is called, for workers; null when there is none of this name, or it is not called. */
export async function connectorBinding(
  { database }: { database: Pick<Database, 'readTenant'> },
  actor: Actor,
  name: string,
): Promise<ConnectorOutbound | null> {
  const [row] = await database.readTenant<{ outbound: unknown }>(
    actor,
    `select outbound from connector where organization_id = $1::uuid and name = $2 and outbound is not null`,
    [actor.organizationId, name],
  )
  return row ? outboundRecord.parse(row.outbound) : null
}
