import type { Actor } from '@tutti/schema'
import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { GraphQLError } from 'graphql'

import { type Admission, type Admitted, isAdmitted } from '../authorization/admit.ts'
import { APPROVAL_HEADER, approvalsOf } from '../authorization/approvals-of.ts'
import { clientError, statusOf } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { Executor } from '../graph/execute-operation.ts'
import type { Graph } from '../graph/load-graph.ts'
import type { PreparedDocuments } from '../graph/prepare-operation.ts'

/** What Apollo Server carries from the door to the executor. */
export interface HttpContext {
  actor: Actor | null
  signal: AbortSignal
  /** Set by the admission plugin; the executor refuses to run without it. */
  admitted?: Admitted
}

export interface ApolloParts {
  graph: Graph
  documents: PreparedDocuments
  admit: Admission
  executor: Executor
  present: PresentError
  limits: { tokens: number }
}

/**
 * Apollo Server as the HTTP door: content negotiation, CSRF prevention, error formatting. Documents come from our
 * own store, already limited and validated, and execution goes to our executor by Apollo's gateway interface.
 */
export async function createApollo(parts: ApolloParts): Promise<ApolloServer<HttpContext>> {
  const { graph, documents, executor, present } = parts
  const apollo = new ApolloServer<HttpContext>({
    gateway: {
      onSchemaLoadOrUpdate(callback) {
        callback({ apiSchema: graph.apiSchema, coreSupergraphSdl: graph.sdl })
        return () => {}
      },
      async load() {
        return {
          async executor({ request, context }) {
            const admitted = readAdmitted(context)
            return executor.execute(admitted.admitted, {
              variables: request.variables,
              approvals: approvalsOf(request.http?.headers.get(APPROVAL_HEADER), request.extensions),
              signal: admitted.signal,
            })
          },
        }
      },
      async stop() {},
    },
    documentStore: {
      get: async (key) => documents.byHash(key.slice(key.lastIndexOf(':') + 1)),
      set: async () => {},
      delete: async () => {},
    },
    parseOptions: { maxTokens: parts.limits.tokens },
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => present(error instanceof GraphQLError ? error : formatted),
    plugins: [
      admissionPlugin(parts),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
    ],
  })
  await apollo.start()
  return apollo
}

function admissionPlugin({ documents, admit, present }: ApolloParts): ApolloServerPlugin<HttpContext> {
  return {
    async requestDidStart() {
      return {
        async responseForOperation({ source, request, contextValue }) {
          const prepared = documents.prepare(source, request.operationName)
          if (!('kind' in prepared)) return refusal(prepared, present)
          if (prepared.kind === 'subscription') {
            return refusal([subscriptionElsewhere()], present)
          }
          const verdict = await admit(prepared, contextValue.actor)
          if (!isAdmitted(verdict)) return refusal(verdict, present)
          contextValue.admitted = verdict
          return null
        },
      }
    },
  }
}

function refusal(errors: readonly GraphQLError[], present: PresentError) {
  return {
    http: { status: statusOf(errors), headers: new HeaderMap() },
    body: { kind: 'single' as const, singleResult: { errors: errors.map(present) } },
  }
}

function subscriptionElsewhere(): GraphQLError {
  return clientError('BAD_INPUT', {
    message:
      'Subscriptions come by WebSocket (graphql-transport-ws) on this path, or as server-sent events on /graphql/stream.',
  })
}

function readAdmitted(context: object): { admitted: Admitted; signal: AbortSignal } {
  if (!('admitted' in context) || !('signal' in context))
    throw new Error('An operation reached the executor unadmitted')
  const { admitted, signal } = context
  if (!isAdmittedObject(admitted) || !(signal instanceof AbortSignal)) {
    throw new Error('An operation reached the executor unadmitted')
  }
  return { admitted, signal }
}

function isAdmittedObject(value: unknown): value is Admitted {
  return typeof value === 'object' && value !== null && isAdmitted(value as Admitted)
}
