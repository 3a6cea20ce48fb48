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
  /** Of the scopes, those that end by themselves, by when; absent: none does. */
  ending?: { until: number; scopes: Scope[] }[]
}

/** Of `role_assignment a`: not taken back, not over. */
export const ASSIGNMENT_IN_FORCE = `a.revoked_at is null and (a.expires_at is null or a.expires_at > clock_timestamp())`

// Each by an index of its own, and not by a join: every request asks this, and assignments are never deleted.
const assigned = (columns: string, more = ''): string => {
  const of = (whose: string) => `select ${columns} from role_assignment a
    where a.organization_id = p.organization_id and ${whose} and ${ASSIGNMENT_IN_FORCE}${more}`
  return `${of('a.principal_id = p.id')} union all ${of(`a.group_id = any(array(select g.id from access_group g
    where g.organization_id = p.organization_id and g.name = any(p.groups)))`)}`
}

/** Of `principal p`: the assignments in force, its own and its groups', as JSON of {@link HeldRole}. */
export const HELD_ROLES = `(select coalesce(jsonb_agg(jsonb_build_object('role', a.role, 'scopes', to_jsonb(r.scopes),
    'domainId', a.domain_id, 'teamId', a.team_id, 'until', floor(extract(epoch from a.expires_at) * 1000))), '[]')
  from (${assigned('a.organization_id, a.role, a.domain_id, a.team_id, a.expires_at')}) a
  left join access_role r on r.organization_id = a.organization_id and r.name = a.role)`

/** Of `principal p`: the names of the roles assigned to it or its groups, everywhere. */
const ASSIGNED_EVERYWHERE = `array(${assigned('a.role', ' and a.domain_id is null and a.team_id is null')})`

/** A moment as whole milliseconds since the epoch. */
export const MILLISECONDS = (moment: string): string => `ceil(extract(epoch from ${moment}) * 1000)`

/** Likewise, with who gave them and when: JSON of `{ role, by, at }`. */
export const ASSIGNMENTS_EVERYWHERE = `(select coalesce(jsonb_agg(jsonb_build_object('role', a.role, 'by', a.granted_by,
    'at', ${MILLISECONDS('a.created_at')})), '[]')
  from (${assigned('a.role, a.granted_by, a.created_at', ' and a.domain_id is null and a.team_id is null')}) a)`

/** Likewise, with its own. */
export const ROLES_EVERYWHERE = `(p.roles || ${ASSIGNED_EVERYWHERE})`

/**
 * Of each `principal p` of the organization $1: whether it has one of some roles everywhere; `wanted`: their names, an array
 * in SQL. For many at once: assignments are read once, and not for each.
 */
export const holdsOneOf = (wanted: string): string => {
  const given = `a.organization_id = $1::uuid and a.role = any(${wanted}) and a.domain_id is null
    and a.team_id is null and ${ASSIGNMENT_IN_FORCE}`
  return `(p.roles && ${wanted}
    or p.id in (select a.principal_id from role_assignment a where a.principal_id is not null and ${given})
    or p.groups && array(select g.name from role_assignment a
      join access_group g on g.organization_id = a.organization_id and g.id = a.group_id where ${given}))`
}

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
  const ending = endingOf(allowed([...scopes].sort()), own, everywhere)
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
    ...(ending.length === 0 ? {} : { ending }),
  }
}

/** Of some scopes those that no role grants without an end, by when the last that grants them ends. */
function endingOf(
  scopes: readonly Scope[],
  own: readonly string[],
  everywhere: readonly HeldRole[],
): { until: number; scopes: Scope[] }[] {
  const granted = everywhere.map(({ role, scopes: of, until }) => ({ until, of: scopesOfRole(role, of) }))
  const lasting = new Set([
    ...scopesOf(knownRoles(own)),
    ...granted.flatMap(({ until, of }) => (until === null ? of : [])),
  ])
  const lastOf = (scope: Scope): number =>
    Math.max(...granted.flatMap(({ until, of }) => (until !== null && of.includes(scope) ? [until] : [])))
  const ending = scopes.filter((scope) => !lasting.has(scope))
  return [...Map.groupBy(ending, lastOf)].map(([until, those]) => ({ until, scopes: those }))
}
