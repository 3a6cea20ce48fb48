import { type Actor, systemActor } from '@tutti/schema'
import { effectiveAccess, HELD_ROLES, type HeldRole } from '../access/effective-access.ts'
import type { DomainServices } from '../context.ts'
import { hashOfToken, looksLikeToken } from './session-token.ts'

interface SessionRow {
  id: string
  principalId: string
  name: string
  roles: string[]
  held: HeldRole[]
  expiresAt: Date
}

/** Whose session it is; null when there is none, or it is over, without saying which. */
export async function identifySession({ database }: DomainServices, token: string): Promise<Actor | null> {
  if (!looksLikeToken(token)) return null
  const hash = hashOfToken(token)
  const { rows } = await database
    .pool('api')
    .query<{ organization: string | null }>('select find_session_organization($1) as organization', [hash])
  const organizationId = rows[0]?.organization
  if (!organizationId) return null
  const [session] = await database.readTenant<SessionRow>(
    systemActor(organizationId, 'identify'),
    `select s.id, p.id as "principalId", p.name, p.roles, ${HELD_ROLES} as held, s.expires_at as "expiresAt"
     from session s join principal p on p.organization_id = s.organization_id and p.id = s.principal_id
     where s.organization_id = $1 and s.hash = $2 and s.ended_at is null and s.expires_at > clock_timestamp()
       and p.deactivated_at is null`,
    [organizationId, hash],
  )
  if (!session) return null
  const { within, validUntil, ...access } = effectiveAccess(session.roles, session.held)
  return {
    organizationId,
    id: session.principalId,
    kind: 'person',
    name: session.name,
    ...access,
    credentialId: session.id,
    expiresAt: session.expiresAt.getTime(),
    ...(within.length === 0 ? {} : { within }),
    ...(validUntil === undefined ? {} : { validUntil }),
  }
}
