import type { Context } from '../context.ts'
import type { OrganizationRow } from './hierarchy-rows.ts'

/** The caller's own organization, if it is among the ids; no other answers. */
export async function loadOrganizations(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, OrganizationRow>> {
  if (!ids.includes(actor.organizationId)) return new Map()
  const rows = await database.readTenant<OrganizationRow>(
    actor,
    `select organization_id as id, name, tier, time_zone as "timeZone" from organization where organization_id = $1::uuid`,
    [actor.organizationId],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
