import { trustedProxies } from '@tutti/gateway/trusted-proxies'
import { z } from 'zod'
import { StartError } from './start-error.ts'

const port = z.coerce.number().int().min(1).max(65_535)

const masterKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes as base64: openssl rand -base64 32')
  .optional()

// Variables that the processes read for themselves; here only so that a mistake is found before anything starts.
const shared = {
  HOST: z.string().default('127.0.0.1'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  TUTTI_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  TUTTI_MASTER_KEY: masterKey,
  TUTTI_MASTER_KEY_PREVIOUS: masterKey,
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_JWKS_URL: z.url().optional(),
  JWT_PUBLIC_KEY: z.string().startsWith('-----BEGIN PUBLIC KEY', 'must be a PEM public key').optional(),
  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  OPENAI_BASE_URL: z.url().optional(),
  OPENAI_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: z.url().optional(),
  ANTHROPIC_API_KEY: z.string().optional(),
  GOOGLE_BASE_URL: z.url().optional(),
  GOOGLE_API_KEY: z.string().optional(),
  TUTTI_CACHE_DIRECTORY: z.string().optional(),
  TUTTI_CHECKPOINTS: z.string().optional(),
  TUTTI_CHECKPOINT_SECONDS: z.coerce.number().int().min(1).max(3_600).optional(),
  TUTTI_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  TUTTI_TRUSTED_PROXIES: trustedProxies.optional(),
  TUTTI_ALLOW_LOCAL_AGENTS: z.stringbool().optional(),
  TUTTI_MCP_COMMANDS: z.string().optional(),
  WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(1000).optional(),
  WORKERS: z.coerce.number().int().min(1).max(64).default(1),
}

const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })

/** The environment of `npm start`. Without DATABASE_URL it brings a PostgreSQL of its own. */
export const standaloneEnvironment = z.object({
  ...shared,
  PORT: port.default(4000),
  TUTTI_DIRECTORY: z.string().default('.tutti'),
  DATABASE_URL: databaseUrl.optional(),
})

/** The environment of `npm run start:distributed`. The gateway takes PORT, the others free ports unless BASE_PORT is set. */
export const distributedEnvironment = z.object({
  ...shared,
  PORT: port.default(4000),
  // Not the one of `npm start`: its keys belong to another database.
  TUTTI_DIRECTORY: z.string().default('.tutti/distributed'),
  BASE_PORT: port.optional(),
  DATABASE_URL: databaseUrl,
})

/**
 * Reads variables of `source`; an empty one counts as unset, as `NAME= npm start` means it. Throws ENVIRONMENT_INVALID,
 * which names every mistake at once and repeats no value (they may be secret).
 */
export function readEnvironment<Shape extends z.ZodObject>(
  shape: Shape,
  source: NodeJS.ProcessEnv = process.env,
): z.infer<Shape> {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''))
  const parsed = shape.safeParse(given)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new StartError('ENVIRONMENT_INVALID', ['The environment has mistakes:', ...mistakes].join('\n'))
}
