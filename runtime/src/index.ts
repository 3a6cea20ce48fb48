export { openRedisCache, type RedisCache } from './cache/open-redis-cache.ts'
export { type Connection, connectionOf, isId, type PageArguments, readPage } from './graphql/connection.ts'
export { defineSubgraph, type Subgraph, type SubgraphDefinition } from './graphql/define-subgraph.ts'
export { bindSubgraph, type RunningSubgraph, type SubgraphRequest } from './graphql/execute-subgraph.ts'
export { loaderOf } from './graphql/loader-of.ts'
export { mergeResolvers } from './graphql/merge-resolvers.ts'
export { parseInput } from './graphql/parse-input.ts'
export { presentError } from './graphql/present-error.ts'
export { runSubgraph } from './graphql/run-subgraph.ts'
export { suggestName } from './graphql/suggest-name.ts'
export { type ServeOptions, serveSubgraph } from './graphql/serve-subgraph.ts'
export { untilAborted } from './graphql/until-aborted.ts'
export { CALL_HEADER, signCall, verifyCall } from './http/call-signature.ts'
export { addHealthRoutes, type ReadinessCheck } from './http/health-routes.ts'
export { listen } from './http/listen.ts'
export { isPublicAddress, NOT_PUBLIC, refuseAddress } from './http/refuse-address.ts'
export {
  compileSchema,
  type JsonSchema,
  type SchemaCheck,
  type SchemaProblem,
} from './json-schema/compile-schema.ts'
export { createLog, type Log } from './process/create-log.ts'
export { createLifecycle, type Lifecycle, type Phase, runProcess } from './process/lifecycle.ts'
export { commonEnv, EnvironmentError, kmsSettings, readEnv } from './process/read-env.ts'
export { continueTrace, inSpan, type SpanSettings, traceHeaders } from './process/tracing.ts'
export * from './secrets/index.ts'
export { createLanes, type Lanes } from './queue/create-lanes.ts'
export type { QueueConnection } from './queue/queue-backend.ts'
