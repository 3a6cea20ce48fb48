import { isId } from '@tutti/runtime'
import { type Actor, type Scope, systemActor } from '@tutti/schema'
import { effectiveAccess, HELD_ROLES, type HeldRole } from '../access/effective-access.ts'
import type { DomainServices } from '../context.ts'

interface PersonRow {
  name: string
  roles: string[]
  held: HeldRole[]
}

/** A person whom the organization keeps, with what they may do now; null when there is none, or they lack `scope`. */
export async function readPerson(
  { database }: DomainServices,
  organizationId: string,
  id: string,
  scope: Scope,
): Promise<Actor | null> {
  if (!isId(id)) return null
  const [person] = await database.readTenant<PersonRow>(
    systemActor(organizationId, 'link'),
    `select p.name, p.roles, ${HELD_ROLES} as held from principal p
     where p.organization_id = $1 and p.id = $2 and p.kind = 'person' and p.agent_id is null
       and p.deactivated_at is null`,
    [organizationId, id],
  )
  if (!person) return null
  const { roles, scopes } = effectiveAccess(person.roles, person.held)
  return scopes.includes(scope)
    ? { organizationId, id, kind: 'person', name: person.name, roles, scopes }
    : null
}
