import { isScope, ROLES, type Role, type Scope, scopesOf } from '@tutti/schema'

/** An assignment that is in force, with what its role grants. */
export interface HeldRole {
  role: string
  /** Of a tenant's own role; null for a built-in one. */
  scopes: string[] | null
  domainId: string | null
  teamId: string | null
  /** Milliseconds since the epoch; null: it does not end. */
  until: number | null
}

/** What somebody may do now. */
export interface EffectiveAccess {
  /** Built-in roles held everywhere. */
  roles: Role[]
  scopes: Scope[]
  within: { domainId: string | null; teamId: string | null; scopes: Scope[] }[]
  /** When the first of the assignments ends, milliseconds since the epoch. */
  validUntil: number | undefined
}

/** Of `role_assignment a`: not taken back, not over. */
export const ASSIGNMENT_IN_FORCE = `a.revoked_at is null and (a.expires_at is null or a.expires_at > clock_timestamp())`

/** Of `principal p`: the assignments in force, its own and its groups', as JSON of {@link HeldRole}. */
export const HELD_ROLES = `(select coalesce(jsonb_agg(jsonb_build_object('role', a.role, 'scopes', to_jsonb(r.scopes),
    'domainId', a.domain_id, 'teamId', a.team_id, 'until', floor(extract(epoch from a.expires_at) * 1000))), '[]')
  from role_assignment a
  left join access_group g on g.organization_id = a.organization_id and g.id = a.group_id
  left join access_role r on r.organization_id = a.organization_id and r.name = a.role
  where a.organization_id = p.organization_id and ${ASSIGNMENT_IN_FORCE}
    and (a.principal_id = p.id or g.name = any(p.groups)))`

/** Of `principal p`: the names of the roles assigned to it or its groups, everywhere. */
export const ASSIGNED_EVERYWHERE = `array(select a.role from role_assignment a
  left join access_group g on g.organization_id = a.organization_id and g.id = a.group_id
  where a.organization_id = p.organization_id and ${ASSIGNMENT_IN_FORCE} and a.domain_id is null and a.team_id is null
    and (a.principal_id = p.id or g.name = any(p.groups)))`

/** Likewise, with its own. */
export const ROLES_EVERYWHERE = `(p.roles || ${ASSIGNED_EVERYWHERE})`

/** What a role grants; `own`: a tenant's own role's scopes. A scope that there is no more grants nothing. */
export const scopesOfRole = (role: string, own: readonly string[] | null): Scope[] =>
  own === null ? scopesOf(knownRoles([role])) : own.filter(isScope)

/** The built-in ones among these. */
export const knownRoles = (claimed: readonly unknown[]): Role[] =>
  ROLES.filter((role) => claimed.includes(role))

/**
 * The union of what a principal's own roles and its assignments grant; at most `limit`, unless that is empty. What is
 * held in one domain or team only is under `within`.
 */
export function effectiveAccess(
  own: readonly string[],
  held: readonly HeldRole[],
  limit: readonly string[] = [],
): EffectiveAccess {
  const allowed = (scopes: readonly Scope[]): Scope[] =>
    limit.length === 0 ? [...scopes] : scopes.filter((scope) => limit.includes(scope))
  const everywhere = held.filter(({ domainId, teamId }) => domainId === null && teamId === null)
  const scopes = new Set([
    ...scopesOf(knownRoles(own)),
    ...everywhere.flatMap(({ role, scopes: granted }) => scopesOfRole(role, granted)),
  ])
  const ends = held.flatMap(({ until }) => (until === null ? [] : [until]))
  return {
    roles: knownRoles([
      ...own,
      ...everywhere.filter(({ scopes: granted }) => granted === null).map(({ role }) => role),
    ]),
    scopes: allowed([...scopes].sort()),
    within: held
      .filter(({ domainId, teamId }) => domainId !== null || teamId !== null)
      .map(({ role, scopes: granted, domainId, teamId }) => ({
        domainId,
        teamId,
        scopes: allowed(scopesOfRole(role, granted)).sort(),
      }))
      .filter(({ scopes: granted }) => granted.length > 0),
    validUntil: ends.length === 0 ? undefined : Math.min(...ends),
  }
}
