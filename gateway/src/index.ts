export { type Identify } from './authentication/authenticate.ts'
export { type JwtSettings } from './authentication/verify-jwt.ts'
export { type DecidePolicy } from './authorization/admit.ts'
export { authorizeMutationsOverHttp } from './authorization/authorize-mutations-over-http.ts'
export { type Authority } from './authorization/govern-mutations.ts'
export { type Denial, type RecordDenial } from './authorization/record-denials.ts'
export {
  createGateway,
  type Gateway,
  type GatewayLog,
  type GatewayOptions,
  type Timings,
} from './create-gateway.ts'
export { type AskLogin } from './login/ask-login.ts'
export { type LoginSettings } from './login/login-routes.ts'
export { type Limits } from './limits/check-limits.ts'
export { type HookAnswer, type HookCall, type ReceiveHook } from './hooks/hook-route.ts'
export { jwtEnv, loginEnv, readJwtSettings } from './environment.ts'
export { boundSubgraph } from './subgraph/bound-subgraph.ts'
export { httpSubgraph, type HttpSubgraphOptions } from './subgraph/http-subgraph.ts'
export { localSubgraph, type LocalSubgraphOptions } from './subgraph/local-subgraph.ts'
export {
  type SubgraphEndpoint,
  type SubgraphRequest,
  type SubgraphResult,
} from './subgraph/subgraph-endpoint.ts'
export { type HubCounts } from './subscriptions/subscription-hub.ts'
export { SLOW_CONSUMER } from './websocket/socket-session.ts'
