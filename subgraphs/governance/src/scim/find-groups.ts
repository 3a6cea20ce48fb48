import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { Searchable } from './filter-to-sql.ts'
import { type DirectoryGroupRow, GROUP_RESOURCE_COLUMNS } from './group-resource.ts'
import { listOf, type ListPage, type ListRequest } from './list-resources.ts'
import { ScimError } from './scim-error.ts'

const SEARCHABLE: Readonly<Record<string, Searchable>> = {
  id: { kind: 'text', sql: 'g.id::text', case: 'lower' },
  displayName: { kind: 'text', sql: 'g.name', case: 'any' },
  externalId: { kind: 'text', sql: 'g.external_id', case: 'exact' },
  members: {
    kind: 'values',
    sql: `(select p.id, p.name from principal p
      where p.organization_id = g.organization_id and g.name = any(p.groups)) as member`,
    parts: {
      value: { kind: 'text', sql: 'member.id::text', case: 'lower' },
      display: { kind: 'text', sql: 'member.name', case: 'any' },
    },
  },
  'meta.created': { kind: 'moment', sql: 'g.created_at' },
  'meta.lastModified': { kind: 'moment', sql: 'g.directory_at' },
}

const notFound = (): ScimError => new ScimError(404, 'There is no such group.')

/** A group that the directory keeps. ScimError 404. */
export async function findGroup(
  { database }: DomainServices,
  actor: Actor,
  id: string,
): Promise<DirectoryGroupRow> {
  const [group] = isId(id)
    ? await database.readTenant<DirectoryGroupRow>(
        actor,
        `select ${GROUP_RESOURCE_COLUMNS} from access_group g
         where g.organization_id = $1 and g.id = $2 and g.directory_at is not null`,
        [actor.organizationId, id],
      )
    : []
  if (!group) throw notFound()
  return group
}

/** As {@link findGroup}, in a transaction; whoever else changes it waits. */
export async function lockGroup(tx: TenantTransaction, id: string): Promise<DirectoryGroupRow> {
  if (!isId(id)) throw notFound()
  const [locked] = await tx.sql(
    `select id from access_group where organization_id = $1::uuid and id = $2::uuid and directory_at is not null
     for update`,
    tx.actor.organizationId,
    id,
  )
  if (!locked) throw notFound()
  return readGroupRow(tx, id)
}

/** A group in a transaction that has it. */
export async function readGroupRow(tx: TenantTransaction, id: string): Promise<DirectoryGroupRow> {
  const [group] = await tx.sql<DirectoryGroupRow>(
    `select ${GROUP_RESOURCE_COLUMNS} from access_group g where g.organization_id = $1::uuid and g.id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  if (!group) throw notFound()
  return group
}

/** One page of the groups that a filter fits, the oldest first. ScimError invalidFilter. */
export const listGroups = (
  services: DomainServices,
  actor: Actor,
  request: ListRequest,
): Promise<ListPage<DirectoryGroupRow>> =>
  listOf<DirectoryGroupRow>(services, actor, request, {
    columns: GROUP_RESOURCE_COLUMNS,
    from: 'access_group g where g.organization_id = $1 and g.directory_at is not null',
    order: 'g.id',
    searchable: SEARCHABLE,
  })
