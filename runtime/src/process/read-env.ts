import { z } from 'zod'
import { isMasterKey, type KmsSettings } from '../secrets/kms.ts'

/** Every wrong variable at once, as one readable message. */
export class EnvironmentError extends Error {
  readonly code = 'ENVIRONMENT_INVALID'
  readonly problems: readonly { variable: string; message: string }[]

  constructor(problems: readonly { variable: string; message: string }[]) {
    super(
      [
        'The environment is not usable:',
        ...problems.map((each) => `  ${each.variable}: ${each.message}`),
      ].join('\n'),
    )
    this.name = 'EnvironmentError'
    this.problems = problems
  }
}

/** Parses the process's environment once. An empty string counts as not set. Throws {@link EnvironmentError}. */
export function readEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  source: NodeJS.ProcessEnv = process.env,
): z.infer<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''))
  const parsed = z.object(shape).safeParse(given)
  if (parsed.success) return parsed.data
  throw new EnvironmentError(
    parsed.error.issues.map((issue) => ({ variable: issue.path.join('.'), message: issue.message })),
  )
}

const masterKey = z
  .string()
  .refine(isMasterKey, 'must be 32 bytes as base64: openssl rand -base64 32')
  .optional()

/** Variables that every process of the platform reads; spread them into its own shape. */
export const commonEnv = {
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be postgres://host:port/database' }),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be redis://host:port' }).optional(),
  TUTTI_SECRET: z
    .string({ error: 'is needed: at least 32 characters' })
    .min(32, 'needs at least 32 characters'),
  TUTTI_MASTER_KEY: masterKey,
  TUTTI_MASTER_KEY_PREVIOUS: masterKey,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  HOST: z.string().default('127.0.0.1'),
}

/** The settings of the built-in KMS in an environment of {@link commonEnv}. */
export const kmsSettings = (env: {
  TUTTI_SECRET: string
  TUTTI_MASTER_KEY?: string | undefined
  TUTTI_MASTER_KEY_PREVIOUS?: string | undefined
}): KmsSettings => ({
  secret: env.TUTTI_SECRET,
  masterKey: env.TUTTI_MASTER_KEY,
  previous: env.TUTTI_MASTER_KEY_PREVIOUS,
})
