import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { CHANNEL_COLUMNS, type ChannelRow } from './channel-row.ts'
import { recordChannelChange } from './record-channel-change.ts'
import { requireOwnOrSettings } from './require-own-or-settings.ts'

/**
 * Takes a channel away; answers with its id. What is to be told there already still is. Events:
 * notification_channel.changed. Audit: a decision. NOT_FOUND when there is none, FORBIDDEN for another's without
 * settings:write.
 */
export async function removeNotificationChannel(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<string> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<ChannelRow>(
      `delete from notification_channel where organization_id = $1::uuid and id = $2::uuid returning ${CHANNEL_COLUMNS}`,
      actor.organizationId,
      id,
    )
    if (!row) return fail('NOT_FOUND', { path: 'input.id' })
    requireOwnOrSettings(actor, row)
    await recordChannelChange(tx, row, 'removed')
    return id
  })
}
