/** What a caller shows; not yet believed. A session's token comes in a cookie alone. */
export type Credential = { kind: 'api_key' | 'session'; secret: string } | { kind: 'jwt'; token: string }

const API_KEY_PREFIX = 'tutti_'
const LONGEST = 8 * 1024

/**
 * The credential in HTTP headers or in a WebSocket's connection payload (names in lower case): `authorization:
 * Bearer <key or token>`, `x-api-key` or `apikey`. Null when there is none, `malformed` when there is something
 * that cannot be one.
 */
export function readCredential(source: Record<string, unknown>): Credential | null | 'malformed' {
  const authorization = source['authorization']
  const key = source['x-api-key'] ?? source['apikey']
  if (authorization !== undefined && authorization !== '') {
    if (typeof authorization !== 'string' || authorization.length > LONGEST) return 'malformed'
    const secret = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1]
    if (secret === undefined) return 'malformed'
    return secret.startsWith(API_KEY_PREFIX) ? { kind: 'api_key', secret } : { kind: 'jwt', token: secret }
  }
  if (key === undefined || key === '') return null
  if (typeof key !== 'string' || key.length > LONGEST || /\s/.test(key)) return 'malformed'
  return { kind: 'api_key', secret: key }
}
