import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CALL_HEADER, createLog, runProcess, signCall } from '@tutti/runtime'

import { identifyOverHttp } from './authentication/identify-over-http.ts'
import { authorizeMutationsOverHttp } from './authorization/authorize-mutations-over-http.ts'
import { recordDenialOverHttp } from './authorization/record-denial-over-http.ts'
import { createGateway } from './create-gateway.ts'
import { auditKeyOverHttp } from './http/audit-key-over-http.ts'
import { readGatewayEnv } from './environment.ts'
import {
  CALLBACK_PATH,
  receiveConnectorCallOverHttp,
  receiveDecisionOverHttp,
  receiveHookOverHttp,
} from './hooks/receive-hook-over-http.ts'
import { askLoginOverHttp } from './login/ask-login.ts'
import { receiveScimOverHttp } from './scim/receive-scim-over-http.ts'
import { httpSubgraph } from './subgraph/http-subgraph.ts'

const log = createLog('gateway')

// The gateway as a process of its own: every subgraph is asked over HTTP.
runProcess(log, async (lifecycle) => {
  const env = readGatewayEnv()
  const gateway = await createGateway({
    supergraphSdl: readFileSync(
      fileURLToPath(import.meta.resolve('@tutti/schema/supergraph.graphql')),
      'utf8',
    ),
    subgraphs: Object.entries(env.subgraphs).map(([name, url]) =>
      httpSubgraph({
        name,
        url: new URL('/graphql', url).href,
        headersFor: (actor, body) => ({ [CALL_HEADER]: signCall(env.TUTTI_SECRET, actor, body) }),
      }),
    ),
    identify: identifyOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
    recordDenial: recordDenialOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
    authority: {
      secret: env.TUTTI_SECRET,
      authorize: authorizeMutationsOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
    },
    login: {
      ask: askLoginOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
      secret: env.TUTTI_SECRET,
      publicUrl: env.TUTTI_PUBLIC_URL,
      allowLocal: env.TUTTI_ALLOW_LOCAL_AGENTS,
    },
    receiveHook: receiveHookOverHttp(env.subgraphs.workflows, env.TUTTI_SECRET),
    receiveCallback: receiveHookOverHttp(env.subgraphs.workflows, env.TUTTI_SECRET, CALLBACK_PATH),
    auditKey: auditKeyOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
    receiveDecision: receiveDecisionOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
    receiveScim: receiveScimOverHttp(env.subgraphs.governance, env.TUTTI_SECRET),
    receiveConnectorCall: receiveConnectorCallOverHttp(env.subgraphs.agents, env.TUTTI_SECRET),
    trustedProxies: env.TUTTI_TRUSTED_PROXIES,
    jwt: env.jwt,
    production: env.production,
    log,
  })
  await gateway.app.listen({ host: env.HOST, port: env.PORT })
  lifecycle.own(gateway)
  const address = gateway.app.server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : env.PORT }
})
