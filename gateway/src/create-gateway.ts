import Fastify, { type FastifyInstance } from 'fastify'

import { createAuthenticate, type Identify } from './authentication/authenticate.ts'
import { createVerifyJwt, type JwtSettings } from './authentication/verify-jwt.ts'
import { watchCredentials } from './authentication/watch-credentials.ts'
import { createAdmission, type DecidePolicy } from './authorization/admit.ts'
import { type Authority, createGovernor } from './authorization/govern-mutations.ts'
import {
  createDenialRecorder,
  type DenialRecorder,
  type RecordDenial,
} from './authorization/record-denials.ts'
import { createPresentError } from './errors/present-error.ts'
import { createExecutor } from './graph/execute-operation.ts'
import { loadGraph } from './graph/load-graph.ts'
import { prepareDocuments } from './graph/prepare-operation.ts'
import { createRunOperation } from './graph/run-operation.ts'
import { graphiqlPage } from './graphiql/graphiql-page.ts'
import { connectorRoute, type ReceiveConnectorCall } from './hooks/connector-route.ts'
import { decideRoute, type ReceiveDecision } from './hooks/decide-route.ts'
import { hookRoute, type ReceiveHook } from './hooks/hook-route.ts'
import { auditKeyRoute, type ReadAuditKey } from './http/audit-key-route.ts'
import { createCallers } from './http/callers.ts'
import { createApollo } from './http/create-apollo.ts'
import { answerErrors, graphqlRoute } from './http/graphql-route.ts'
import { healthRoutes } from './http/health-routes.ts'
import { streamRoute } from './http/stream-route.ts'
import { DEFAULT_LIMITS, type Limits } from './limits/check-limits.ts'
import { loginRoutes, type LoginSettings } from './login/login-routes.ts'
import { type ReceiveScim, scimRoute } from './scim/scim-route.ts'
import type { SubgraphEndpoint } from './subgraph/subgraph-endpoint.ts'
import { createHub, type HubCounts } from './subscriptions/subscription-hub.ts'
import { acceptSockets } from './websocket/accept-sockets.ts'

/** Where masked errors go; `@tutti/runtime`'s log fits. */
export interface GatewayLog {
  error(details: object, message: string): void
}

export interface GatewayOptions {
  supergraphSdl: string
  /** One for each subgraph of the supergraph. */
  subgraphs: readonly SubgraphEndpoint[]
  identify: Identify
  /** Without it every JWT is refused. */
  jwt?: JwtSettings | undefined
  /** Decides `@policy`; without it every field that carries one is refused. */
  policies?: DecidePolicy | undefined
  /** Writes refusals of known callers into the audit trail; without it they are only answered. */
  recordDenial?: RecordDenial | undefined
  /** Asked before a mutation of the catalogue of actions; without it they are not governed. */
  authority?: Authority | undefined
  /** Serves `/auth/…`, and lets sessions in; without it there are none. */
  login?: LoginSettings | undefined
  /** Serves `POST /hooks/…`; without it there are none. */
  receiveHook?: ReceiveHook | undefined
  /** Serves `POST /callbacks/…`; without it there are none. */
  receiveCallback?: ReceiveHook | undefined
  /** Serves `/connectors/…`; without it there are none. */
  receiveConnectorCall?: ReceiveConnectorCall | undefined
  /** Serves `/.well-known/tutti-audit-key`; without it there is none. */
  auditKey?: ReadAuditKey | undefined
  /** Serves `/decide/…`; without it there are none. */
  receiveDecision?: ReceiveDecision | undefined
  /** Serves `/scim/v2/…`; without it there is none. */
  receiveScim?: ReceiveScim | undefined
  /** Addresses and networks whose `X-Forwarded-For` says who calls; without them, whoever is connected does. */
  trustedProxies?: readonly string[] | undefined
  log: GatewayLog
  /** Production hides suggestions and GraphiQL, and anonymous callers may not introspect. */
  production?: boolean | undefined
  /** A supergraph without any security directive is refused, unless this says that it is meant. */
  allowOpen?: boolean | undefined
  limits?: Partial<Limits> | undefined
  timings?: Partial<Timings> | undefined
  /** Negative, zero or positive as the first cursor is before, at or after the second; as strings unless given. */
  compareCursors?: ((a: string, b: string) => number) | undefined
  /** More that `/ready` checks. */
  ready?: (() => Promise<Record<string, boolean>>) | undefined
}

/** Milliseconds. */
export interface Timings {
  /** A query or mutation as a whole. */
  request: number
  /** From a socket's opening to its `connection_init`. */
  init: number
  keepAlive: number
  /** Between two questions whether a long-lived connection's credential is still good. */
  recheck: number
  /** How long a subscription's upstream may be away before its clients are told. */
  outage: number
}

const DEFAULT_TIMINGS: Timings = {
  request: 10_000,
  init: 3_000,
  keepAlive: 12_000,
  recheck: 1_000,
  outage: 60_000,
}
const MAX_SOCKETS = 20_000
const MAX_SUBSCRIPTIONS = 50
const MAX_BUFFERED_BYTES = 1024 * 1024
const MAX_BUFFERED_MESSAGES = 1_000

export interface Gateway {
  /** Not yet listening. */
  app: FastifyInstance
  /** Subscriptions' work and refusals of known callers so far, and sockets open now. */
  counts(): HubCounts & { sockets: number } & ReturnType<DenialRecorder['counts']>
  /** Takes no more, lets running requests end, sends clients away, and lets go of the subgraphs. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * The public door over a static supergraph: `/graphql` (HTTP and WebSocket), `/graphql/stream` (server-sent
 * events), `/auth/…`, `/hooks/…`, `/scim/v2/…`, `/health`, `/ready`. Throws rather than start with anything unenforced.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const graph = loadGraph(options.supergraphSdl)
  if (!graph.security.any && options.allowOpen !== true) {
    throw new Error('The supergraph has no security directive: serving it would open everything to anybody.')
  }
  const missing = graph.subgraphs.filter(
    (name) => !options.subgraphs.some((subgraph) => subgraph.name === name),
  )
  if (missing.length > 0)
    throw new Error(`The supergraph needs subgraphs that are not given: ${missing.join(', ')}`)

  const production = options.production ?? process.env['NODE_ENV'] === 'production'
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const timings = { ...DEFAULT_TIMINGS, ...options.timings }
  const present = createPresentError({
    hideSchemaDetails: production,
    onMasked: (error) => options.log.error({ err: error }, 'an error was masked'),
  })
  const authenticate = createAuthenticate({
    identify: options.identify,
    verifyJwt: options.jwt === undefined ? undefined : createVerifyJwt(options.jwt),
  })
  const watch = watchCredentials(authenticate, timings.recheck)
  const documents = prepareDocuments(graph, limits)
  const denials = createDenialRecorder({
    recordDenial: options.recordDenial,
    onFailed: (error) => options.log.error({ err: error }, 'a denial is missing in the audit trail'),
  })
  const admit = denials.around(
    createAdmission({ anonymousIntrospection: !production, policies: options.policies }),
  )
  const inner = createExecutor(graph, options.subgraphs, timings.request)
  const governor = createGovernor({
    schema: graph.apiSchema,
    authority: options.authority,
    onFailed: (error) => options.log.error({ err: error }, 'authority could not be asked'),
  })
  const executor = {
    ...inner,
    execute: governor.around(denials.aroundExecution(inner.execute), inner.checkVariables),
  }
  const hub = createHub({
    graph,
    executor,
    subgraphs: options.subgraphs,
    present,
    compareCursors: options.compareCursors ?? ((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    outageMs: timings.outage,
  })
  const run = createRunOperation({ documents, admit, executor, hub, present })
  const apollo = await createApollo({ graph, documents, admit, executor, present, limits })

  let accepting = true
  const app = Fastify({
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: 'idle',
    // Of a request's arrival as a whole: a large body may not come by the drop.
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
  })
  const streams = new Set<() => void>()
  answerErrors(app, present)
  const sessions = options.login === undefined ? null : { publicUrl: options.login.publicUrl }
  const callers = createCallers({
    authenticate,
    present,
    anonymousBytes: limits.anonymousBytes,
    sessions,
  })
  graphqlRoute(app, { apollo, documents, callers, present, page: production ? null : graphiqlPage(app) })
  streamRoute(app, {
    callers,
    watch,
    run,
    present,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    heartbeatMs: timings.keepAlive,
    open: streams,
  })
  const closeLogin =
    options.login === undefined ? null : loginRoutes(app, options.login, denials.write, options.log)
  if (options.receiveHook !== undefined) hookRoute(app, 'hooks', options.receiveHook, options.log)
  if (options.receiveCallback !== undefined) hookRoute(app, 'callbacks', options.receiveCallback, options.log)
  if (options.receiveConnectorCall !== undefined)
    connectorRoute(app, options.receiveConnectorCall, options.log)
  if (options.auditKey !== undefined) auditKeyRoute(app, options.auditKey, options.log)
  if (options.receiveDecision !== undefined) decideRoute(app, options.receiveDecision, options.log)
  if (options.receiveScim !== undefined) {
    scimRoute(app, {
      receive: options.receiveScim,
      authenticate,
      record: denials.write,
      publicUrl: options.login?.publicUrl,
      log: options.log,
    })
  }
  healthRoutes(app, {
    subgraphs: options.subgraphs,
    accepting: () => accepting,
    ready: async () => ({ ...(await options.ready?.()), denials: denials.healthy() }),
  })
  const sockets = acceptSockets(app.server, {
    path: '/graphql',
    maxPayload: limits.messageBytes,
    maxSockets: MAX_SOCKETS,
    authenticate,
    sessions,
    watch,
    run,
    present,
    allowAnonymous: !graph.security.any,
    initTimeoutMs: timings.init,
    keepAliveMs: timings.keepAlive,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    maxBufferedMessages: MAX_BUFFERED_MESSAGES,
  })

  const stop = async (): Promise<void> => {
    if (!accepting) return
    accepting = false
    await sockets.stop()
    for (const cut of [...streams]) cut()
    hub.stop()
    watch.stop()
    await app.close()
    await closeLogin?.()
    await apollo.stop()
    await denials.settled()
    await Promise.allSettled(options.subgraphs.map((subgraph) => subgraph.close()))
  }
  return {
    app,
    counts: () => ({ ...hub.counts(), ...denials.counts(), sockets: sockets.size }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
