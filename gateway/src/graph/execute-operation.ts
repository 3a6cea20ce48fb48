import { inSpan } from '@tutti/runtime'
import { type Actor, TuttiError } from '@tutti/schema'
import { executeQueryPlan, type GraphQLDataSource, type ServiceMap } from '@apollo/gateway'
import type { QueryPlan } from '@apollo/query-planner'
import { type ExecutionResult, getVariableValues, GraphQLError } from 'graphql'

import type { Admitted } from '../authorization/admit.ts'
import { clientError } from '../errors/client-error.ts'
import type { SubgraphEndpoint } from '../subgraph/subgraph-endpoint.ts'
import type { Graph } from './load-graph.ts'
import type { PreparedOperation } from './prepare-operation.ts'
import { withoutSecrets } from './without-secrets.ts'

export type GraphResult = ExecutionResult<Record<string, unknown>, Record<string, unknown>>

export interface ExecuteOptions {
  variables?: Record<string, unknown> | undefined
  /** Ids of approvals that the caller was given for what the operation does. */
  approvals?: readonly string[] | undefined
  signal?: AbortSignal | undefined
}

/** Runs operations over the subgraphs. */
export interface Executor {
  /** The subgraphs by name, as the plan executor wants them. */
  readonly services: ServiceMap
  /** A query or mutation. Without an answer in time it ends with TIMEOUT. */
  execute(admitted: Admitted, options: ExecuteOptions): Promise<GraphResult>
  /** One plan, with `services` standing in for the subgraphs of the same name. */
  runPlan(run: PlanRun): Promise<GraphResult>
  /** Coerces variables; the errors are the client's. */
  checkVariables(operation: PreparedOperation, variables: Record<string, unknown>): readonly GraphQLError[]
}

export interface PlanRun {
  plan: QueryPlan
  operation: PreparedOperation
  variables: Record<string, unknown>
  actor: Actor | null
  signal?: AbortSignal | undefined
  services?: ServiceMap
}

type RequestContext = Parameters<typeof executeQueryPlan>[2]
type CallContext = { actor: Actor | null; signal: AbortSignal | undefined }

/** Milliseconds a query or mutation may take as a whole. */
const TIMEOUT_MS = 10_000

export function createExecutor(
  graph: Graph,
  subgraphs: readonly SubgraphEndpoint[],
  timeoutMs = TIMEOUT_MS,
): Executor {
  const services: ServiceMap = Object.create(null)
  for (const subgraph of subgraphs) services[subgraph.name] = dataSource(subgraph)

  const checkVariables: Executor['checkVariables'] = (operation, variables) => {
    const definitions = operation.operation.variableDefinitions ?? []
    if (definitions.length === 0) return []
    const { errors } = getVariableValues(graph.apiSchema, definitions, variables, { maxErrors: 20 })
    return (errors ?? []).map(
      (error) =>
        new GraphQLError(withoutSecrets(error.message, variables), {
          nodes: error.nodes ?? [],
          extensions: { code: 'BAD_USER_INPUT' },
        }),
    )
  }

  const runPlan: Executor['runPlan'] = (run) =>
    executeQueryPlan(
      run.plan,
      run.services ?? services,
      requestContext(graph, run),
      run.operation.context,
      graph.internals.supergraph,
      graph.internals.api,
    )

  return {
    services,
    checkVariables,
    runPlan,
    async execute({ operation, actor }, { variables = {}, signal }) {
      const errors = checkVariables(operation, variables)
      if (errors.length > 0) return { errors }
      const deadline = new AbortController()
      const late = Promise.withResolvers<GraphResult>()
      const stop = (): void => {
        late.resolve({ errors: [clientError('TIMEOUT')] })
        deadline.abort()
      }
      const timer = setTimeout(stop, timeoutMs)
      signal?.addEventListener('abort', stop, { once: true })
      try {
        const attributes = {
          'graphql.operation.type': operation.kind,
          'graphql.operation.name': operation.name ?? '',
        }
        return await inSpan(`gateway ${operation.kind}`, { kind: 'server', attributes }, () => {
          const run = runPlan({
            plan: operation.plan(),
            operation,
            variables,
            actor,
            signal: deadline.signal,
          })
          return Promise.race([run, late.promise])
        })
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
      }
    },
  }
}

function dataSource(subgraph: SubgraphEndpoint): GraphQLDataSource {
  return {
    async process({ request, context }) {
      const { actor, signal } = readCallContext(context)
      if (signal?.aborted) throw clientError('TIMEOUT')
      try {
        return await subgraph.execute({
          query: request.query ?? '',
          operationName: request.operationName,
          variables: request.variables,
          actor,
          signal,
        })
      } catch (error) {
        if (error instanceof GraphQLError) throw error
        if (error instanceof TuttiError) throw clientError(error.code, { message: error.message })
        throw new GraphQLError('subgraph call failed', {
          originalError: error instanceof Error ? error : new Error(String(error)),
        })
      }
    },
  }
}

function readCallContext(context: Record<string, unknown>): CallContext {
  const call = context['call']
  if (!isCallContext(call)) throw new Error('A subgraph was called outside of an admitted operation')
  return call
}

function isCallContext(value: unknown): value is CallContext {
  return typeof value === 'object' && value !== null && 'actor' in value
}

const QUIET = { debug() {}, info() {}, warn() {}, error() {} }
const NO_CACHE = { get: async () => undefined, set: async () => {}, delete: async () => {} }

/** What the executor of `@apollo/gateway` reads; `metrics` has to be there, else any subgraph error becomes two. */
function requestContext(graph: Graph, { operation, variables, actor, signal }: PlanRun): RequestContext {
  const call: CallContext = { actor, signal }
  return {
    request: { query: operation.source, operationName: operation.name, variables },
    logger: QUIET,
    schema: graph.apiSchema,
    schemaHash: '' as RequestContext['schemaHash'],
    context: { call },
    cache: NO_CACHE,
    queryHash: '',
    document: operation.document,
    source: operation.source,
    operationName: operation.name ?? null,
    operation: operation.operation,
    metrics: {},
    overallCachePolicy: undefined,
  }
}
