import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import {
  ASSIGNMENT_IN_FORCE,
  effectiveAccess,
  HELD_ROLES,
  type HeldRole,
  knownRoles,
  scopesOfRole,
} from './effective-access.ts'
import { PRINCIPAL_COLUMNS, type PrincipalRow } from './principal-row.ts'

/** Denials are counted for so many days. */
export const DENIAL_DAYS = 30

/** By what somebody has something: a role of its own, an assignment, or a group's. */
export interface AccessGrant {
  /** role, assignment or group. */
  by: 'role' | 'assignment' | 'group'
  role: string
  scopes: string[]
  assignmentId: string | null
  groupName: string | null
  domainId: string | null
  teamId: string | null
  reason: string | null
  grantedBy: { id: string; kind: string; name: string } | null
  since: Date
  expiresAt: Date | null
}

/** A key that opens now. */
export interface ReviewedKey {
  id: string
  prefix: string
  scopes: string[]
  createdAt: Date
  expiresAt: Date | null
  lastUsedAt: Date | null
}

/** A session that is open now. */
export interface ReviewedSession {
  id: string
  issuer: string | null
  startedAt: Date
  expiresAt: Date
}

/** Where somebody logs in. */
export interface ReviewedLogin {
  issuer: string
  subject: string
  lastLoginAt: Date | null
}

/** What a principal may do now, why, and when it last did anything. */
export interface AccessReviewRow {
  id: string
  principal: PrincipalRow
  scopes: string[]
  within: { domainId: string | null; teamId: string | null; scopes: string[] }[]
  grants: AccessGrant[]
  keys: ReviewedKey[]
  sessions: ReviewedSession[]
  login: ReviewedLogin | null
  directory: { userName: string; externalId: string | null; changedAt: Date } | null
  lastUsedAt: Date | null
  denials: number
}

interface ReadRow extends PrincipalRow {
  issuer: string | null
  subject: string | null
  lastLoginAt: Date | null
  userName: string | null
  externalId: string | null
  directoryAt: Date | null
  sessions: { id: string; issuer: string | null; startedAt: string; expiresAt: string }[]
  roles: string[]
  createdAt: Date
  held: HeldRole[]
  assignments: (Omit<AccessGrant, 'by' | 'scopes' | 'since' | 'expiresAt'> & {
    ownScopes: string[] | null
    since: string
    expiresAt: string | null
  })[]
  keys: (Omit<ReviewedKey, 'createdAt' | 'expiresAt' | 'lastUsedAt'> & {
    createdAt: string
    expiresAt: string | null
    lastUsedAt: string | null
  })[]
  lastUsedAt: Date | null
  denials: number
}

// The trail's ids are in the order of time: of the whole of it only the last days are read.
const REVIEW = `with page as (
    select * from principal p where p.organization_id = $1 and ($2::uuid is null or p.id < $2)
    order by p.id desc limit $3),
  denied as (
    select e.actor_id, count(*)::int as count from audit_entry e
    where e.organization_id = $1 and e.action_type = 'denial' and e.id > uuidv7(make_interval(days => -$4::int))
    group by e.actor_id)
  select ${PRINCIPAL_COLUMNS}, p.issuer, p.subject, p.user_name as "userName", p.external_id as "externalId",
    p.directory_at as "directoryAt", p.roles, p.created_at as "createdAt", ${HELD_ROLES} as held,
    (select coalesce(jsonb_agg(jsonb_build_object('role', a.role, 'ownScopes', to_jsonb(r.scopes), 'assignmentId', a.id,
        'groupName', g.name, 'domainId', a.domain_id, 'teamId', a.team_id, 'reason', a.reason,
        'grantedBy', a.granted_by, 'since', a.created_at, 'expiresAt', a.expires_at) order by a.id), '[]')
     from role_assignment a
     left join access_group g on g.organization_id = a.organization_id and g.id = a.group_id
     left join access_role r on r.organization_id = a.organization_id and r.name = a.role
     where a.organization_id = p.organization_id and ${ASSIGNMENT_IN_FORCE}
       and (a.principal_id = p.id or g.name = any(p.groups))) as assignments,
    (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'prefix', k.prefix, 'scopes', to_jsonb(k.scopes),
        'createdAt', k.created_at, 'expiresAt', k.expires_at, 'lastUsedAt', k.last_used_at) order by k.id), '[]')
     from api_key k where k.organization_id = p.organization_id and k.principal_id = p.id and k.revoked_at is null
       and p.deactivated_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())) as keys,
    (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'issuer', i.issuer, 'startedAt', s.created_at,
        'expiresAt', s.expires_at) order by s.id), '[]')
     from session s left join identity_provider i on i.organization_id = s.organization_id and i.id = s.provider_id
     where s.organization_id = p.organization_id and s.principal_id = p.id and s.ended_at is null
       and s.expires_at > clock_timestamp() and p.deactivated_at is null) as sessions,
    (select max(s.created_at) from session s
     where s.organization_id = p.organization_id and s.principal_id = p.id) as "lastLoginAt",
    (select max(k.last_used_at) from api_key k
     where k.organization_id = p.organization_id and k.principal_id = p.id) as "lastUsedAt",
    coalesce(d.count, 0) as denials
  from page p left join denied d on d.actor_id = p.id::text order by p.id desc`

/** One page of who may do what, why, until when and when they last did anything; the newest principals first. */
export async function reviewAccess(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<AccessReviewRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ReadRow>(actor, REVIEW, [
    actor.organizationId,
    afterId,
    take,
    DENIAL_DAYS,
  ])
  return connectionOf(rows.map(reviewed), take)
}

function reviewed({
  id,
  kind,
  name,
  deactivatedAt,
  deactivatedBy,
  roles,
  createdAt,
  held,
  ...row
}: ReadRow): AccessReviewRow {
  const { scopes, within } = effectiveAccess(roles, held)
  const own = knownRoles(roles).map((role): AccessGrant => ({
    by: 'role',
    role,
    scopes: scopesOfRole(role, null),
    assignmentId: null,
    groupName: null,
    domainId: null,
    teamId: null,
    reason: null,
    grantedBy: null,
    since: createdAt,
    expiresAt: null,
  }))
  const assigned = row.assignments.map(({ ownScopes, since, expiresAt, ...grant }): AccessGrant => ({
    ...grant,
    by: grant.groupName === null ? 'assignment' : 'group',
    scopes: scopesOfRole(grant.role, ownScopes),
    since: new Date(since),
    expiresAt: dateOf(expiresAt),
  }))
  return {
    id,
    principal: { id, name, kind, deactivatedAt, deactivatedBy },
    scopes,
    within,
    grants: [...own, ...assigned],
    keys: row.keys.map((key) => ({
      ...key,
      createdAt: new Date(key.createdAt),
      expiresAt: dateOf(key.expiresAt),
      lastUsedAt: dateOf(key.lastUsedAt),
    })),
    sessions: row.sessions.map((session) => ({
      ...session,
      startedAt: new Date(session.startedAt),
      expiresAt: new Date(session.expiresAt),
    })),
    login:
      row.issuer === null || row.subject === null
        ? null
        : { issuer: row.issuer, subject: row.subject, lastLoginAt: row.lastLoginAt },
    directory:
      row.userName === null || row.directoryAt === null
        ? null
        : { userName: row.userName, externalId: row.externalId, changedAt: row.directoryAt },
    lastUsedAt: row.lastUsedAt,
    denials: row.denials,
  }
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text))
