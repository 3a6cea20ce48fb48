import { type Actor, ROLES, scopesOf } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { ACCESS_ROLE_COLUMNS, type AccessRoleRow } from './access-role-row.ts'

const MOST = 1_000

/** Built-in roles, then the organization's own by name, the first 1,000. */
export async function listRoles({ database }: DomainServices, actor: Actor): Promise<AccessRoleRow[]> {
  const own = await database.readTenant<AccessRoleRow>(
    actor,
    `select ${ACCESS_ROLE_COLUMNS} from access_role where organization_id = $1 order by name limit $2`,
    [actor.organizationId, MOST],
  )
  const builtIn = ROLES.map((name) => ({
    name,
    description: 'Built in.',
    scopes: scopesOf([name]),
    version: 1,
    builtIn: true,
  }))
  return [...builtIn, ...own]
}
