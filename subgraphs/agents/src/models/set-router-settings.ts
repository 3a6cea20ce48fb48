import { actorRecord, type Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { readRouterSettings } from './read-router-settings.ts'
import { DEFAULT_ROUTER_SETTINGS, type RouterSettings } from './router-settings.ts'

/**
 * Puts in force how models are chosen, instead of what was said before; what the document leaves out is as by default.
 * Events: router_settings.applied.
 */
export async function setRouterSettings(
  { database }: { database: Database },
  actor: Actor,
  { document }: { document: string },
): Promise<RouterSettings> {
  const settings = readRouterSettings(document)
  await database.inTenant(actor, async (tx) => {
    const { id } = await tx.db.routerSettings.create({
      data: {
        organizationId: actor.organizationId,
        document,
        settings: JSON.parse(JSON.stringify(settings)),
        appliedBy: actorRecord(actor),
      },
      select: { id: true },
    })
    const data = { settingsId: id }
    await tx.appendEvent({ type: 'router_settings.applied', subject: `router_settings/${id}`, data })
  })
  return settings
}

/** How models are chosen in an organization, and its tier. */
export async function routerSettings(
  { database }: { database: Database },
  actor: Actor,
): Promise<{ settings: RouterSettings; tier: string }> {
  const [row] = await database.readTenant<{ tier: string; document: string | null }>(
    actor,
    `select o.tier, (select document from router_settings s where s.organization_id = $1::uuid order by id desc limit 1)
     from organization o where o.organization_id = $1::uuid`,
    [actor.organizationId],
  )
  return {
    settings: row?.document ? readRouterSettings(row.document) : DEFAULT_ROUTER_SETTINGS,
    tier: row?.tier ?? 'standard',
  }
}
