import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'

const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const SYMMETRIC = ['HS256', 'HS384', 'HS512']

/** Exactly one source of keys; a public key never serves as an HMAC secret, whatever `alg` says. */
export interface JwtSettings {
  issuer: string
  audience: string
  keys: { jwksUrl: string } | { publicKey: string } | { secret: string }
}

/** Claims of a valid token; null when it is not valid; throws when the keys cannot be had. */
export type VerifyJwt = (token: string) => Promise<JWTPayload | null>

/** Verifies signature, issuer, audience, times; a token without `exp` or `sub` is refused. */
export function createVerifyJwt(settings: JwtSettings): VerifyJwt {
  const { issuer, audience, keys } = settings
  const options = {
    issuer,
    audience,
    algorithms: 'secret' in keys ? SYMMETRIC : ASYMMETRIC,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: 5,
  }
  const verify = verifierFor(keys)
  return async (token) => {
    try {
      return await verify(token, options)
    } catch (error) {
      // The key server's failure is not the caller's fault: they get UNAVAILABLE, not UNAUTHENTICATED.
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw error
      return null
    }
  }
}

type Verify = (token: string, options: NonNullable<Parameters<typeof jwtVerify>[2]>) => Promise<JWTPayload>

function verifierFor(keys: JwtSettings['keys']): Verify {
  if ('jwksUrl' in keys) {
    const remote = createRemoteJWKSet(new URL(keys.jwksUrl), { timeoutDuration: 3_000 })
    return async (token, options) => (await jwtVerify(token, remote, options)).payload
  }
  const key: KeyObject =
    'secret' in keys ? createSecretKey(Buffer.from(keys.secret, 'utf8')) : createPublicKey(keys.publicKey)
  return async (token, options) => {
    try {
      return (await jwtVerify(token, key, options)).payload
    } catch (error) {
      // A token whose algorithm does not fit the key: jose says so with a TypeError.
      if (error instanceof TypeError) throw new errors.JWTInvalid('algorithm does not fit the key')
      throw error
    }
  }
}
