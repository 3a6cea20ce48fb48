import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import type { DomainRow } from './hierarchy-rows.ts'

/** Domains by id, in one read; an id that is not of this organization is left out. */
export async function loadDomains(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DomainRow>> {
  const rows = await database.readTenant<DomainRow>(
    actor,
    'select id, name from domain where organization_id = $1::uuid and id = any($2::uuid[])',
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** All domains of the caller's organization by name, under its id. */
export async function loadDomainsOfOrganizations(
  { database, actor }: Context,
  organizationIds: readonly string[],
): Promise<ReadonlyMap<string, DomainRow[]>> {
  if (!organizationIds.includes(actor.organizationId)) return new Map()
  const rows = await database.readTenant<DomainRow>(
    actor,
    'select id, name from domain where organization_id = $1::uuid order by name',
    [actor.organizationId],
  )
  return new Map([[actor.organizationId, rows]])
}
