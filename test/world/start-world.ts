import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { agents, receiveConnectorCall } from '@tutti/agents'
import { boundSubgraph, createGateway, type Gateway, type JwtSettings } from '@tutti/gateway'
import { governance } from '@tutti/governance'
import {
  answerLogin,
  answerScim,
  authorizeMutations,
  identify,
  receiveDecision,
  recordDenial,
} from '@tutti/governance/domain'
import { knowledge } from '@tutti/knowledge'
import { metrics } from '@tutti/metrics'
import { type Data, openData, roleUrl } from '@tutti/prisma'
import { openTestDatabase } from '@tutti/prisma/testing'
import {
  bindSubgraph,
  createKms,
  createLanes,
  createLifecycle,
  createLog,
  type RunningSubgraph,
} from '@tutti/runtime'
import { TASK_LANE } from '@tutti/schema'
import { startWorkers } from '@tutti/workers'
import { receiveWebhook, workflows } from '@tutti/workflows'
import pg from 'pg'
import { makeOrganization, type Organization } from './organization.ts'

export interface WorldOptions {
  /** False: Prisma does not filter by tenant, row-level security alone does. */
  scoping?: boolean
  /** True: tasks are done, in this process. */
  workers?: boolean
  /** The queue's Redis; PostgreSQL unless given. Only with workers. */
  redisUrl?: string
  /** Where the workers' mail goes out; it comes from tutti@example.com. */
  smtpUrl?: string
  /** Begins the links that people are sent. */
  publicUrl?: string
  /** Without it the door refuses every JWT. */
  jwt?: JwtSettings
}

/** A whole platform in this process: a database of its own, five subgraphs, the gateway on a free port. */
export interface World extends AsyncDisposable {
  /** Of the gateway, without a path. */
  url: string
  data: Data
  gateway: Gateway
  /** Around the gateway, as a subgraph's process would be called. */
  subgraphs: readonly RunningSubgraph[]
  /** A new organization with an API key of each role. */
  organization(name?: string): Promise<Organization>
  /** SQL as the owner, whom no policy binds. With a name it is planned once a connection. */
  asOwner<Row extends pg.QueryResultRow>(sql: string, parameters?: unknown[], name?: string): Promise<Row[]>
  /** What a process would get as DATABASE_URL and TUTTI_SECRET. */
  databaseUrl: string
  secret: string
}

const SUPERGRAPH = readFileSync(
  fileURLToPath(import.meta.resolve('@tutti/schema/supergraph.graphql')),
  'utf8',
)

/** Starts it; dispose it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const log = createLog('world', process.env['TUTTI_TEST_LOG'] ?? 'silent')
  const lifecycle = createLifecycle(log)
  try {
    const test = lifecycle.own(await openTestDatabase())
    const owner = new pg.Pool({ connectionString: test.url, max: 2 })
    lifecycle.onStop(() => owner.end())
    const scoping = options.scoping ?? true
    const data = lifecycle.own(await openData({ url: test.url, secret: test.secret, scoping }))
    const kms = createKms(test)
    const wake = options.workers ? await startWork(options) : (): void => undefined
    const services = { ...data, log, secret: test.secret, wake, kms }
    const subgraphs = [
      bindSubgraph(agents, services, log),
      bindSubgraph(workflows, services, log),
      bindSubgraph(governance, services, log),
      bindSubgraph(metrics, services, log),
      bindSubgraph(knowledge, services, log),
    ]
    const gateway = lifecycle.own(
      await createGateway({
        supergraphSdl: SUPERGRAPH,
        subgraphs: subgraphs.map(boundSubgraph),
        identify: (question) => identify(data, question),
        recordDenial: (actor, denial) => recordDenial(data, actor, denial),
        authority: {
          secret: test.secret,
          authorize: (actor, calls) => authorizeMutations(data, actor, calls),
        },
        login: {
          ask: (question) => answerLogin(services, question),
          secret: test.secret,
          allowLocal: true,
        },
        receiveHook: (call) => receiveWebhook(services, call),
        receiveDecision: (call) => receiveDecision(data, call),
        receiveScim: (call) => answerScim(data, call),
        receiveConnectorCall: (call) => receiveConnectorCall(services, call),
        jwt: options.jwt,
        log,
      }),
    )
    await gateway.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = gateway.app.server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}`

    async function startWork({ redisUrl, smtpUrl, publicUrl }: WorldOptions): Promise<() => void> {
      const postgresUrl = roleUrl(test.url, 'queue', test.secret)
      const lanes = lifecycle.own(await createLanes({ redisUrl, postgresUrl }, log))
      await startWorkers(
        data,
        {
          databaseUrl: test.url,
          redisUrl,
          secret: test.secret,
          log,
          models: {},
          kms,
          allowLocalAgents: true,
          smtpUrl,
          mailFrom: smtpUrl === undefined ? undefined : 'tutti@example.com',
          publicUrl,
          concurrency: 16,
        },
        lifecycle,
      )
      return () => lanes.nudge(TASK_LANE)
    }

    return {
      url,
      data,
      gateway,
      subgraphs,
      databaseUrl: test.url,
      secret: test.secret,
      organization: (name) => makeOrganization({ url, data, subgraphs, lifecycle }, name),
      asOwner: async (text, values = [], name) => (await owner.query({ text, values, name })).rows,
      [Symbol.asyncDispose]: () => lifecycle.stop(),
    }
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}
