import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { Searchable } from './filter-to-sql.ts'
import { listOf, type ListRequest, type ListPage } from './list-resources.ts'
import { ScimError } from './scim-error.ts'
import { IS_USER, USER_COLUMNS, type UserRow } from './user-resource.ts'

const text = (sql: string): Searchable => ({ kind: 'text', sql, case: 'any' })

const SEARCHABLE: Readonly<Record<string, Searchable>> = {
  id: { kind: 'text', sql: 'p.id::text', case: 'lower' },
  userName: { kind: 'text', sql: 'p.user_name', case: 'lower' },
  externalId: { kind: 'text', sql: 'p.external_id', case: 'exact' },
  displayName: text(`coalesce(p.profile->>'displayName', p.name)`),
  title: text(`p.profile->>'title'`),
  'name.formatted': text(`p.profile#>>'{name,formatted}'`),
  'name.familyName': text(`p.profile#>>'{name,familyName}'`),
  'name.givenName': text(`p.profile#>>'{name,givenName}'`),
  active: { kind: 'boolean', sql: '(p.deactivated_at is null)' },
  emails: {
    kind: 'values',
    sql: `jsonb_array_elements(coalesce(p.profile->'emails', '[]')) as email(item)`,
    parts: {
      value: text(`email.item->>'value'`),
      type: text(`email.item->>'type'`),
      primary: { kind: 'boolean', sql: `(email.item->>'primary')::boolean` },
    },
  },
  groups: {
    kind: 'values',
    sql: `(select g.id, g.name from access_group g where g.organization_id = p.organization_id
      and g.directory_at is not null and g.name = any(p.groups)) as of_group`,
    parts: {
      value: { kind: 'text', sql: 'of_group.id::text', case: 'lower' },
      display: text('of_group.name'),
    },
  },
  'meta.created': { kind: 'moment', sql: 'p.created_at' },
  'meta.lastModified': { kind: 'moment', sql: 'coalesce(p.directory_at, p.created_at)' },
}

const notFound = (): ScimError => new ScimError(404, 'There is no such user.')

/** A user of the organization. ScimError 404. */
export async function findUser({ database }: DomainServices, actor: Actor, id: string): Promise<UserRow> {
  const [user] = isId(id)
    ? await database.readTenant<UserRow>(
        actor,
        `select ${USER_COLUMNS} from principal p where p.organization_id = $1 and p.id = $2 and ${IS_USER}`,
        [actor.organizationId, id],
      )
    : []
  if (!user) throw notFound()
  return user
}

/** As {@link findUser}, in a transaction; whoever else changes them waits. */
export async function lockUser(tx: TenantTransaction, id: string): Promise<UserRow> {
  if (!isId(id)) throw notFound()
  const [locked] = await tx.sql(
    `select p.id from principal p where p.organization_id = $1::uuid and p.id = $2::uuid and ${IS_USER}
     for no key update`,
    tx.actor.organizationId,
    id,
  )
  if (!locked) throw notFound()
  return readUserRow(tx, id)
}

/** A user in a transaction that has them. */
export async function readUserRow(tx: TenantTransaction, id: string): Promise<UserRow> {
  const [user] = await tx.sql<UserRow>(
    `select ${USER_COLUMNS} from principal p where p.organization_id = $1::uuid and p.id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  if (!user) throw notFound()
  return user
}

/** One page of the users that a filter fits, the oldest first. ScimError invalidFilter. */
export const listUsers = (
  services: DomainServices,
  actor: Actor,
  request: ListRequest,
): Promise<ListPage<UserRow>> =>
  listOf<UserRow>(services, actor, request, {
    columns: USER_COLUMNS,
    from: `principal p where p.organization_id = $1 and ${IS_USER}`,
    order: 'p.id',
    searchable: SEARCHABLE,
  })
