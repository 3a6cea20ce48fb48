import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { CONNECTOR_COLUMNS, type ConnectorRow } from './connector-row.ts'

/**
 * Takes a connector away and answers with it as it was: its path is gone, and tasks that call it fail with
 * CONNECTOR_UNBOUND. Events: connector.removed. NOT_FOUND when there is none.
 */
export async function removeConnector(
  { database }: { database: Database },
  actor: Actor,
  id: string,
): Promise<ConnectorRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [connector] = await tx.sql<ConnectorRow>(
      `delete from connector where organization_id = $1::uuid and id = $2::uuid returning ${CONNECTOR_COLUMNS}`,
      actor.organizationId,
      id,
    )
    if (!connector) return fail('NOT_FOUND', { path: 'input.id' })
    const data = { connectorId: id, name: connector.name }
    await tx.appendEvent({ type: 'connector.removed', subject: `connector/${id}`, data })
    return connector
  })
}
