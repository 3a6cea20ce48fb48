import Fastify from 'fastify'
import { openData } from '@tutti/prisma'
import {
  addHealthRoutes,
  commonEnv,
  createKms,
  createLog,
  kmsSettings,
  listen,
  readEnv,
  runProcess,
} from '@tutti/runtime'
import { z } from 'zod'
import { startWorkers } from './start-workers.ts'

const log = createLog('worker')

runProcess(log, async (lifecycle) => {
  const env = readEnv({
    ...commonEnv,
    /** Health and readiness are served here when it is set. */
    PORT: z.coerce.number().int().min(0).max(65_535).optional(),
    WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(64),
    TUTTI_CACHE_DIRECTORY: z.string().optional(),
    /** Where checkpoints of the record are written: a file, or an http(s) URL. */
    TUTTI_CHECKPOINTS: z.string().optional(),
    /** How long after an event at the latest a checkpoint covers it. */
    TUTTI_CHECKPOINT_SECONDS: z.coerce.number().int().min(1).max(3_600).optional(),
    /** Where mail goes out, as smtp://user:password@mail.example.com:587, and whom it comes from. */
    TUTTI_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
    TUTTI_MAIL_FROM: z.string().optional(),
    /** Where people reach the gateway, as https://tutti.example.com: links in what they are told begin with it. */
    TUTTI_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
    TUTTI_ALLOW_LOCAL_AGENTS: z.stringbool().default(false),
    OPENAI_BASE_URL: z.url().optional(),
    OPENAI_API_KEY: z.string().optional(),
    ANTHROPIC_BASE_URL: z.url().optional(),
    ANTHROPIC_API_KEY: z.string().optional(),
    GOOGLE_BASE_URL: z.url().optional(),
    GOOGLE_API_KEY: z.string().optional(),
  })
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, ...kmsSettings(env) }))
  await startWorkers(
    data,
    {
      databaseUrl: env.DATABASE_URL,
      redisUrl: env.REDIS_URL,
      secret: env.TUTTI_SECRET,
      log,
      kms: createKms(kmsSettings(env)),
      models: env,
      allowLocalAgents: env.TUTTI_ALLOW_LOCAL_AGENTS,
      concurrency: env.WORKER_CONCURRENCY,
      checkpoints: env.TUTTI_CHECKPOINTS,
      checkpointSeconds: env.TUTTI_CHECKPOINT_SECONDS,
      smtpUrl: env.TUTTI_SMTP_URL,
      mailFrom: env.TUTTI_MAIL_FROM,
      publicUrl: env.TUTTI_PUBLIC_URL,
      ...(env.TUTTI_CACHE_DIRECTORY ? { cacheDirectory: env.TUTTI_CACHE_DIRECTORY } : {}),
    },
    lifecycle,
  )
  if (env.PORT === undefined) return
  const app = Fastify({ forceCloseConnections: true })
  addHealthRoutes(app, lifecycle, { database: data.ping })
  return { port: await listen(app, { host: env.HOST, port: env.PORT }, lifecycle) }
})
