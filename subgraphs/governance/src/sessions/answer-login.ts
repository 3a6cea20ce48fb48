import { isId } from '@tutti/runtime'
import { systemActor } from '@tutti/schema'
import { z } from 'zod'
import { endSessionsBy } from './end-sessions.ts'
import { type LoginServices, secretBelongsTo } from './identity-provider-row.ts'
import { identifySession } from './identify-session.ts'
import { type RefusedLogin, startSession, type StartedSession } from './start-session.ts'

/** What the gateway asks when somebody logs in or out. */
const loginCallSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('provider'),
    organizationId: z.string(),
    /** Null: the organization's first. */
    providerId: z.string().nullable(),
  }),
  z.object({
    kind: z.literal('start'),
    organizationId: z.string(),
    providerId: z.string(),
    /** Of a token that the gateway has verified. */
    claims: z.record(z.string(), z.unknown()),
  }),
  z.object({ kind: z.literal('end'), token: z.string() }),
])
export type LoginCall = z.infer<typeof loginCallSchema>

/** An identity provider with the client's secret: for the gateway alone. */
export interface LoginProvider {
  id: string
  issuer: string
  clientId: string
  clientSecret: string
}

export type LoginAnswer =
  | { provider: LoginProvider | null }
  | { session: StartedSession | null }
  | RefusedLogin
  | { ended: boolean }

/** Where people of an organization log in; a session for whoever has; and its end. Throws MasterKeyMissing. */
export async function answerLogin(services: LoginServices, call: LoginCall): Promise<LoginAnswer> {
  switch (call.kind) {
    case 'provider':
      return { provider: await readProvider(services, call.organizationId, call.providerId) }
    case 'start':
      return startedOf(await startSession(services, call.organizationId, call.providerId, call.claims))
    case 'end':
      return { ended: await endOwnSession(services, call.token) }
  }
}

/** The gateway's signed call of {@link answerLogin}, for `serveSubgraph`'s `internal`. */
export const loginCalls = (
  services: LoginServices,
): Record<'/internal/login', (body: unknown) => Promise<LoginAnswer>> => ({
  '/internal/login': (body) => answerLogin(services, loginCallSchema.parse(body)),
})

const startedOf = (started: StartedSession | RefusedLogin | null): LoginAnswer =>
  started !== null && 'refused' in started ? started : { session: started }

async function readProvider(
  { database, kms }: LoginServices,
  organizationId: string,
  providerId: string | null,
): Promise<LoginProvider | null> {
  if (!isId(organizationId) || (providerId !== null && !isId(providerId))) return null
  const [row] = await database.readTenant<{
    id: string
    issuer: string
    clientId: string
    masterKey: string
    wrapped: Buffer
  }>(
    systemActor(organizationId, 'login'),
    `select id, issuer, client_id as "clientId", master_key as "masterKey", wrapped from identity_provider
     where organization_id = $1 and ($2::uuid is null or id = $2::uuid) order by id limit 1`,
    [organizationId, providerId],
  )
  if (!row) return null
  const { id, issuer, clientId } = row
  const secret = await kms.unwrap(row, secretBelongsTo(organizationId.toLowerCase(), issuer))
  return { id, issuer, clientId, clientSecret: secret.toString() }
}

/** Events: credential.revoked. */
async function endOwnSession(services: LoginServices, token: string): Promise<boolean> {
  const actor = await identifySession(services, token)
  const id = actor?.credentialId
  if (!actor || id === undefined) return false
  return services.database.inTenant(actor, async (tx) => (await endSessionsBy(tx, 'id', id)) > 0)
}
