import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { agents, receiveConnectorCall } from '@tutti/agents'
import { boundSubgraph, createGateway, jwtEnv, loginEnv, readJwtSettings } from '@tutti/gateway'
import { governance } from '@tutti/governance'
import {
  answerLogin,
  answerScim,
  authorizeMutations,
  identify,
  readAuditKey,
  receiveDecision,
  recordDenial,
} from '@tutti/governance/domain'
import { knowledge } from '@tutti/knowledge'
import { metrics } from '@tutti/metrics'
import { openData, roleUrl } from '@tutti/prisma'
import {
  bindSubgraph,
  commonEnv,
  createKms,
  createLanes,
  createLog,
  kmsSettings,
  readEnv,
  runProcess,
} from '@tutti/runtime'
import { TASK_LANE } from '@tutti/schema'
import { receiveCallback, receiveWebhook, workflows } from '@tutti/workflows'
import { z } from 'zod'
import { untilBegin } from './supervision/supervised.ts'

const log = createLog('door')

// The gateway and all five subgraphs in one process: no hop between them, one pool, one tail of the event log.
runProcess(log, async (lifecycle) => {
  await untilBegin()
  const env = readEnv({
    ...commonEnv,
    ...jwtEnv,
    ...loginEnv,
    PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  })
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, ...kmsSettings(env), poolSize: 20 }))
  const postgresUrl = roleUrl(env.DATABASE_URL, 'queue', env.TUTTI_SECRET)
  const lanes = lifecycle.own(await createLanes({ redisUrl: env.REDIS_URL, postgresUrl }, log))
  const kms = createKms(kmsSettings(env))
  const services = { ...data, log, kms, secret: env.TUTTI_SECRET, wake: () => lanes.nudge(TASK_LANE) }
  const gateway = lifecycle.own(
    await createGateway({
      supergraphSdl: readFileSync(
        fileURLToPath(import.meta.resolve('@tutti/schema/supergraph.graphql')),
        'utf8',
      ),
      subgraphs: [
        bindSubgraph(agents, services, log),
        bindSubgraph(workflows, services, log),
        bindSubgraph(governance, services, log),
        bindSubgraph(metrics, services, log),
        bindSubgraph(knowledge, services, log),
      ].map(boundSubgraph),
      identify: (question) => identify(data, question),
      recordDenial: (actor, denial) => recordDenial(data, actor, denial),
      authority: {
        secret: env.TUTTI_SECRET,
        authorize: (actor, calls) => authorizeMutations(data, actor, calls),
      },
      login: {
        ask: (question) => answerLogin(services, question),
        secret: env.TUTTI_SECRET,
        publicUrl: env.TUTTI_PUBLIC_URL,
        allowLocal: env.TUTTI_ALLOW_LOCAL_AGENTS,
      },
      receiveHook: (call) => receiveWebhook(services, call),
      receiveCallback: (call) => receiveCallback(services, call),
      auditKey: () => readAuditKey(data),
      receiveDecision: (call) => receiveDecision(data, call),
      receiveScim: (call) => answerScim(data, call),
      receiveConnectorCall: (call) => receiveConnectorCall(services, call),
      trustedProxies: env.TUTTI_TRUSTED_PROXIES,
      jwt: readJwtSettings(env),
      production: process.env['NODE_ENV'] === 'production',
      ready: async () => ({
        database: await data.ping().then(
          () => true,
          () => false,
        ),
      }),
      log,
    }),
  )
  await gateway.app.listen({ host: env.HOST, port: env.PORT })
})
