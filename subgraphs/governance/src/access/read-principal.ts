import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { HELD_ROLES, type HeldRole } from './effective-access.ts'

/** A principal with all by which it may do something. */
export interface PrincipalAccess {
  id: string
  kind: string
  name: string
  roles: string[]
  groups: string[]
  held: HeldRole[]
}

/** Principals of the organization, by id. NOT_FOUND when one of them is none of it. */
export async function readPrincipals(
  tx: TenantTransaction,
  ids: readonly string[],
  path: (index: number) => string,
): Promise<PrincipalAccess[]> {
  const found = await tx.sql<PrincipalAccess>(
    `select p.id, p.kind, p.name, p.roles, p.groups, ${HELD_ROLES} as held from principal p
     where p.organization_id = $1::uuid and p.id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid))`,
    tx.actor.organizationId,
    JSON.stringify(ids.filter(isId)),
  )
  const known = new Map(found.map((principal) => [principal.id, principal]))
  return ids.map((id, index) => known.get(id) ?? fail('NOT_FOUND', { path: path(index) }))
}
