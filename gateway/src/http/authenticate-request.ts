import type { IncomingHttpHeaders } from 'node:http'
import type { Actor } from '@tutti/schema'
import type { GraphQLError } from 'graphql'

import type { Authenticate } from '../authentication/authenticate.ts'
import { type Credential, readCredential } from '../authentication/credential.ts'
import { clientError } from '../errors/client-error.ts'

/** Who asks by HTTP: an actor, nobody (`actor: null`), or a credential that is refused. */
export async function authenticateRequest(
  authenticate: Authenticate,
  request: { headers: IncomingHttpHeaders },
): Promise<{ actor: Actor | null; credential: Credential | null } | { refusal: GraphQLError }> {
  const credential = readCredential(request.headers)
  if (credential === null) return { actor: null, credential: null }
  if (credential === 'malformed') return { refusal: clientError('UNAUTHENTICATED') }
  try {
    const actor = await authenticate(credential)
    return actor === null ? { refusal: clientError('UNAUTHENTICATED') } : { actor, credential }
  } catch {
    return { refusal: clientError('UNAVAILABLE') }
  }
}
