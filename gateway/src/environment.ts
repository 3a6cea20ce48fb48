import { commonEnv, readEnv } from '@tutti/runtime'
import { z } from 'zod'

import type { JwtSettings } from './authentication/verify-jwt.ts'
import { trustedProxies } from './http/trusted-proxies.ts'

const subgraphUrl = z.url({ protocol: /^https?$/, error: 'must be http://host:port of the subgraph' })

const shape = {
  HOST: commonEnv.HOST,
  LOG_LEVEL: commonEnv.LOG_LEVEL,
  TUTTI_SECRET: commonEnv.TUTTI_SECRET,
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  NODE_ENV: z.string().default('development'),
  SUBGRAPH_AGENTS_URL: subgraphUrl,
  SUBGRAPH_WORKFLOWS_URL: subgraphUrl,
  SUBGRAPH_GOVERNANCE_URL: subgraphUrl,
  SUBGRAPH_METRICS_URL: subgraphUrl,
  SUBGRAPH_KNOWLEDGE_URL: subgraphUrl,
}

/** JWT settings of a process; all or none, and one source of keys. Spread into the process's own shape. */
export const jwtEnv = {
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_JWKS_URL: z.url().optional(),
  /** PEM. */
  JWT_PUBLIC_KEY: z.string().startsWith('-----BEGIN PUBLIC KEY', 'must be a PEM public key').optional(),
  JWT_SECRET: z.string().min(32, 'needs at least 32 characters').optional(),
}

/** Where browsers find the gateway, through which proxies, and which identity providers it may call. Spread into the process's own shape. */
export const loginEnv = {
  TUTTI_PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be as https://tutti.example.com' }).optional(),
  TUTTI_TRUSTED_PROXIES: trustedProxies.optional(),
  TUTTI_ALLOW_LOCAL_AGENTS: z.stringbool().default(false),
}

/** What the distributed gateway reads from its environment. Throws with all mistakes at once. */
export function readGatewayEnv(source?: NodeJS.ProcessEnv) {
  const env = readEnv({ ...shape, ...jwtEnv, ...loginEnv }, source)
  return {
    ...env,
    production: env.NODE_ENV === 'production',
    jwt: readJwtSettings(env),
    subgraphs: {
      agents: env.SUBGRAPH_AGENTS_URL,
      workflows: env.SUBGRAPH_WORKFLOWS_URL,
      governance: env.SUBGRAPH_GOVERNANCE_URL,
      metrics: env.SUBGRAPH_METRICS_URL,
      knowledge: env.SUBGRAPH_KNOWLEDGE_URL,
    },
  }
}

type JwtEnv = z.infer<z.ZodObject<typeof jwtEnv>>

/** Undefined when no key is given: then JWTs are refused. Throws on half a setting. */
export function readJwtSettings(env: JwtEnv): JwtSettings | undefined {
  const keys = [
    ...(env.JWT_JWKS_URL === undefined ? [] : [{ jwksUrl: env.JWT_JWKS_URL }]),
    ...(env.JWT_PUBLIC_KEY === undefined ? [] : [{ publicKey: env.JWT_PUBLIC_KEY.replaceAll('\\n', '\n') }]),
    ...(env.JWT_SECRET === undefined ? [] : [{ secret: env.JWT_SECRET }]),
  ]
  const [only] = keys
  if (only === undefined) return undefined
  if (keys.length > 1)
    throw new Error('Give one of JWT_JWKS_URL, JWT_PUBLIC_KEY and JWT_SECRET, not several.')
  if (env.JWT_ISSUER === undefined || env.JWT_AUDIENCE === undefined) {
    throw new Error(
      'JWT_ISSUER and JWT_AUDIENCE are needed with a JWT key: a token for somebody else is not for us.',
    )
  }
  return { issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE, keys: only }
}
