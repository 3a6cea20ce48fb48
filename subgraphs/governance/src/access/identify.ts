import { isId } from '@tutti/runtime'
import { type Actor, actorSchema, systemActor } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { effectiveAccess, HELD_ROLES, type HeldRole, knownRoles } from './effective-access.ts'
import { line } from '../input/text.ts'
import { identifySession } from '../sessions/identify-session.ts'
import { hashOf, looksLikeSecret } from './key-secret.ts'
import { touchKey } from './touch-key.ts'
import { ERASED } from '../erasure/erased.ts'

/** What the gateway asks about: a key's secret, a session's token, or the claims of a token it has verified. */
export const credentialSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('api_key'), secret: z.string() }),
  z.object({ kind: z.literal('session'), secret: z.string() }),
  z.object({ kind: z.literal('jwt'), claims: z.record(z.string(), z.unknown()) }),
])
export type Credential = z.infer<typeof credentialSchema>

/** The actor behind a credential; null when it is wrong, revoked, expired or of who is deactivated, without saying which. */
export async function identify(services: DomainServices, credential: Credential): Promise<Actor | null> {
  if (credential.kind === 'session') return identifySession(services, credential.secret)
  return credential.kind === 'api_key'
    ? identifyKey(services, credential.secret)
    : identifyClaims(services, credential.claims)
}

interface KeyRow {
  id: string
  principalId: string
  kind: string
  name: string
  roles: string[]
  held: HeldRole[]
  scopes: string[]
  createdBy: string[]
  agentId: string | null
  expiresAt: Date | null
  usedLongAgo: boolean
}

async function identifyKey(services: DomainServices, secret: string): Promise<Actor | null> {
  if (!looksLikeSecret(secret)) return null
  const hash = hashOf(secret)
  const { rows } = await services.database
    .pool('api')
    .query<{ organization: string | null }>('select find_api_key_organization($1) as organization', [hash])
  const organizationId = rows[0]?.organization
  if (!organizationId) return null
  const asker = systemActor(organizationId, 'identify')
  const [key] = await services.database.readTenant<KeyRow>(
    asker,
    `select k.id, p.id as "principalId", p.kind, p.name, p.roles, k.scopes, k.created_by as "createdBy", p.agent_id as "agentId",
       k.expires_at as "expiresAt", ${HELD_ROLES} as held,
       (k.last_used_at is null or k.last_used_at < now() - interval '1 minute') as "usedLongAgo"
     from api_key k join principal p on p.organization_id = k.organization_id and p.id = k.principal_id
     where k.organization_id = $1 and k.hash = $2 and k.revoked_at is null and p.deactivated_at is null
       and (k.expires_at is null or k.expires_at > now())`,
    [organizationId, hash],
  )
  if (!key) return null
  // Not awaited: a caller never waits for our bookkeeping.
  if (key.usedLongAgo) void touchKey(services, asker, key.id)
  const { within, validUntil, ...access } = effectiveAccess(key.roles, key.held, key.scopes)
  const others = key.createdBy.filter((id) => id !== key.principalId)
  return {
    organizationId,
    id: key.principalId,
    kind: actorSchema.shape.kind.parse(key.kind),
    name: key.name,
    ...access,
    credentialId: key.id,
    ...(others.length === 0 ? {} : { credentialBy: others }),
    ...(within.length === 0 ? {} : { within }),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(key.agentId === null ? {} : { agentId: key.agentId }),
    ...(key.expiresAt === null ? {} : { expiresAt: key.expiresAt.getTime() }),
  }
}

const claimsSchema = z.object({
  organization_id: actorSchema.shape.organizationId,
  // As it stands: one that is changed would be somebody else's.
  sub: z
    .string()
    .min(1)
    .max(200)
    .refine((sub) => !sub.includes('\0') && sub.isWellFormed()),
  iss: z.string().optional(),
  // What cannot be stored is no name.
  name: line().optional().catch(undefined),
  roles: z.array(z.unknown()).default([]),
  jti: z.string().optional(),
  exp: z.number().optional(),
})

interface KnownRow {
  /** Null: the organization knows no principal of these claims. */
  id: string | null
  /** As their token before this one said; null: there was none. */
  lastName: string | null
  kind: string
  name: string
  agentId: string | null
  isDeactivated: boolean
  held: HeldRole[]
}

/**
 * Whom claims are of: the principal who logged in by this issuer's name, or whose id the name is, with what is assigned to it
 * or to its groups besides the roles of the claims; a person of this name where none is known.
 */
async function identifyClaims(
  services: DomainServices,
  claims: Record<string, unknown>,
): Promise<Actor | null> {
  const parsed = claimsSchema.safeParse({
    ...claims,
    organization_id: claims['organization_id'] ?? claims['org'],
  })
  if (!parsed.success) return null
  const { organization_id, sub, iss, name, roles: claimed, jti, exp } = parsed.data
  const organizationId = organization_id.toLowerCase()
  const found = await services.database.readTenant<KnownRow>(
    systemActor(organizationId, 'identify'),
    `select p.id, p.kind, p.name, p.agent_id as "agentId", p.deactivated_at is not null as "isDeactivated",
       ${HELD_ROLES} as held, k.name as "lastName"
     from organization o left join known_person k on k.organization_id = o.organization_id and k.id = $2
     left join principal p on p.organization_id = o.organization_id
       and (p.id = $4::uuid or (p.issuer = $3 and p.subject = $2))
     where o.organization_id = $1 order by p.issuer = $3 and p.subject = $2 desc nulls last`,
    [organizationId, sub, iss ?? null, isId(sub) ? sub : null],
  )
  const [known] = found
  if (!known || found.some(({ isDeactivated }) => isDeactivated)) return null
  // The roles that a principal had at its last login are not those of the claims: these are newer.
  const { within, validUntil, ...access } = effectiveAccess(knownRoles(claimed), known.held)
  const who =
    known.id === null
      ? {
          id: sub,
          kind: 'person' as const,
          name: await nameOf(services, organizationId, sub, name, known.lastName),
        }
      : { id: known.id, kind: actorSchema.shape.kind.parse(known.kind), name: known.name }
  return {
    organizationId,
    ...who,
    ...access,
    ...(within.length === 0 ? {} : { within }),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(known.agentId === null ? {} : { agentId: known.agentId }),
    ...(jti === undefined ? {} : { credentialId: jti }),
    ...(exp === undefined ? {} : { expiresAt: exp * 1_000 }),
  }
}

/** What they are called, kept for who reads what they did. Whoever was forgotten stays so. */
async function nameOf(
  { database }: DomainServices,
  organizationId: string,
  id: string,
  name: string | undefined,
  lastName: string | null,
): Promise<string> {
  if (lastName === ERASED) return ERASED
  if (name === undefined) return lastName ?? id
  if (name !== lastName)
    await database.transact(systemActor(organizationId, 'identify'), (client) =>
      client.query(
        `insert into known_person (organization_id, id, name) values ($1, $2, $3)
         on conflict (organization_id, id) do update set name = excluded.name where known_person.name <> $4`,
        [organizationId, id, name, ERASED],
      ),
    )
  return name
}
