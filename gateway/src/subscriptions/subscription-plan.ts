import { operationFromDocument } from '@apollo/federation-internals'
import type { GraphQLDataSource } from '@apollo/gateway'
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner'
import { type Actor, canonicalJson } from '@tutti/schema'
import { Kind, print } from 'graphql'

import type { Executor, GraphResult } from '../graph/execute-operation.ts'
import type { Graph } from '../graph/load-graph.ts'
import type { PreparedOperation } from '../graph/prepare-operation.ts'
import type { SubgraphEndpoint, SubgraphRequest, SubgraphResult } from '../subgraph/subgraph-endpoint.ts'
import { AFTER_VARIABLE, CURSOR_ALIAS, withCursor } from './with-cursor.ts'

/** How one subscription is fed: its own fetch once, the rest of its plan for every event. */
export interface SubscriptionPlan {
  /** Same for subscriptions that differ only in layout, operation name and cursor. */
  key: string
  resumable: boolean
  /** Splits a client's variables into what identifies the subscription and where it wants to go on. */
  split(variables: Record<string, unknown>): {
    shared: Record<string, unknown>
    key: string
    after: string | null
  }
  open(upstream: Upstream): AsyncIterable<SubgraphResult>
  /** The client's answer to one event; consumes the event. */
  answer(event: SubgraphResult, upstream: Omit<Upstream, 'after'>): Promise<GraphResult>
  cursorOf(event: SubgraphResult): string | null
}

export interface Upstream {
  variables: Record<string, unknown>
  after: string | null
  actor: Actor | null
  signal: AbortSignal
}

/** Plans an admitted subscription. `@apollo/gateway` plans subscriptions but does not run them; we run its plan. */
export function planSubscription(
  graph: Graph,
  executor: Executor,
  subgraphs: ReadonlyMap<string, SubgraphEndpoint>,
  operation: PreparedOperation,
): SubscriptionPlan {
  const { document, resumable, after, ownVariables } = withCursor(
    graph.apiSchema,
    operation.document,
    operation.operation,
  )
  const planned = graph.planner.buildQueryPlan(operationFromDocument(graph.internals.api, document)).node
  if (planned?.kind !== 'Subscription') throw new Error('The planner made no subscription of a subscription')
  const { primary, rest } = planned
  const subgraph = subgraphs.get(primary.serviceName)
  if (subgraph === undefined) throw new Error(`No subgraph ${primary.serviceName}`)
  const perEvent = planPerEvent(primary, rest)
  const responseName = rootResponseName(operation)
  const declared = (operation.operation.variableDefinitions ?? [])
    .map((definition) => definition.variable.name.value)
    .filter((name) => !ownVariables.includes(name))

  return {
    key: print(document),
    resumable,
    split(variables) {
      const shared: Record<string, unknown> = {}
      for (const name of declared) {
        if (variables[name] !== undefined) shared[name] = variables[name]
      }
      const from = after === null ? null : 'literal' in after ? after.literal : variables[after.variable]
      return {
        shared,
        key: canonicalJson(shared),
        after: typeof from === 'string' && from !== '' ? from : null,
      }
    },
    open: ({ variables, after: cursor, actor, signal }) =>
      subgraph.subscribe({
        ...fetchRequest(primary, { ...variables, [AFTER_VARIABLE]: cursor }),
        actor,
        signal,
      }),
    answer: (event, { variables, actor, signal }) =>
      executor.runPlan({
        plan: perEvent,
        operation,
        variables,
        actor,
        signal,
        services: {
          ...executor.services,
          [primary.serviceName]: standIn(primary, event, executor.services[primary.serviceName]),
        },
      }),
    cursorOf(event) {
      const root = event.data?.[responseName]
      const cursor =
        typeof root === 'object' && root !== null
          ? Object.entries(root).find(([name]) => name === CURSOR_ALIAS)?.[1]
          : null
      return typeof cursor === 'string' ? cursor : null
    },
  }
}

function planPerEvent(primary: FetchNode, rest: PlanNode | undefined): QueryPlan {
  const after = rest === undefined ? [] : rest.kind === 'Sequence' ? rest.nodes : [rest]
  return { kind: 'QueryPlan', node: { kind: 'Sequence', nodes: [primary, ...after] } }
}

/** Answers the primary fetch with the event; the same subgraph's entity fetches go through. */
function standIn(
  primary: FetchNode,
  event: SubgraphResult,
  real: GraphQLDataSource | undefined,
): GraphQLDataSource {
  return {
    async process(options) {
      if (options.request.query === primary.operation) {
        return {
          data: clone(event.data ?? null),
          ...(event.errors === undefined ? {} : { errors: event.errors }),
        }
      }
      if (real === undefined) throw new Error(`No subgraph ${primary.serviceName}`)
      return real.process(options)
    },
  }
}

/** The executor merges what it fetches into the event's own objects, which others may hold. */
function clone<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  return structuredClone(value)
}

function fetchRequest(
  fetch: FetchNode,
  variables: Record<string, unknown>,
): Pick<SubgraphRequest, 'query' | 'operationName' | 'variables'> {
  const used: Record<string, unknown> = {}
  for (const name of fetch.variableUsages ?? []) {
    if (variables[name] !== undefined) used[name] = variables[name]
  }
  return { query: fetch.operation, operationName: fetch.operationName, variables: used }
}

function rootResponseName(operation: PreparedOperation): string {
  const find = (selections: PreparedOperation['operation']['selectionSet']): string | null => {
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) return selection.alias?.value ?? selection.name.value
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : operation.context.fragments[selection.name.value]
      const found = fragment === undefined ? null : find(fragment.selectionSet)
      if (found !== null) return found
    }
    return null
  }
  return find(operation.operation.selectionSet) ?? ''
}
