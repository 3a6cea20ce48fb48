import type { IncomingHttpHeaders } from 'node:http'
import type { Actor } from '@tutti/schema'
import type { GraphQLError } from 'graphql'

import type { Authenticate } from '../authentication/authenticate.ts'
import { type Credential, readCredential } from '../authentication/credential.ts'
import { clientError } from '../errors/client-error.ts'
import { isOwnRequest, sessionOf } from '../login/session-cookie.ts'

const FOREIGN =
  'With a session, a request comes from a page of this address: with content-type application/json, or the header apollo-require-preflight.'

/**
 * Who asks by HTTP: an actor, nobody (`actor: null`), or a credential that is refused. A session's cookie counts where
 * there is no other credential and no page of another site can have made the request. `sessions`: null, there are none.
 */
export async function authenticateRequest(
  authenticate: Authenticate,
  request: { method: string; headers: IncomingHttpHeaders },
  sessions: { publicUrl?: string | undefined } | null,
): Promise<{ actor: Actor | null; credential: Credential | null } | { refusal: GraphQLError }> {
  let credential = readCredential(request.headers)
  const session =
    credential === null && sessions !== null ? sessionOf(request.headers, sessions.publicUrl) : null
  if (session !== null) {
    if (isOwnRequest(request.headers, sessions?.publicUrl)) credential = session
    // Whoever follows a link reads what anybody may.
    else if (request.method !== 'GET') return { refusal: clientError('FORBIDDEN', { message: FOREIGN }) }
  }
  if (credential === null) return { actor: null, credential: null }
  if (credential === 'malformed') return { refusal: clientError('UNAUTHENTICATED') }
  try {
    const actor = await authenticate(credential)
    return actor === null ? { refusal: clientError('UNAUTHENTICATED') } : { actor, credential }
  } catch {
    return { refusal: clientError('UNAVAILABLE') }
  }
}
