import { untilAborted } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  type GraphQLSchema,
  parse,
  subscribe,
  validate,
} from 'graphql'

import type { SubgraphEndpoint, SubgraphRequest, SubgraphResult } from './subgraph-endpoint.ts'

export interface LocalSubgraphOptions {
  name: string
  schema: GraphQLSchema
  /** The context of one execution; `signal` aborts when nobody wants the answer any more. */
  context(actor: Actor | null, signal?: AbortSignal): unknown
  /** Ends what the subgraph holds. */
  close?: (() => Promise<void>) | undefined
}

const MOST_DOCUMENTS = 5_000

/** A subgraph in this process: its fetches are parsed and validated once per distinct text. */
export function localSubgraph(options: LocalSubgraphOptions): SubgraphEndpoint {
  const { name, schema } = options
  const documents = new Map<string, DocumentNode | SubgraphResult>()

  const prepare = (query: string): DocumentNode | SubgraphResult => {
    const known = documents.get(query)
    if (known !== undefined) return known
    const document = parse(query, { noLocation: true })
    const errors = validate(schema, document)
    const prepared = errors.length > 0 ? { errors: errors.map((error) => error.toJSON()) } : document
    if (documents.size >= MOST_DOCUMENTS) documents.clear()
    documents.set(query, prepared)
    return prepared
  }

  return {
    name,
    async execute(request) {
      const document = prepare(request.query)
      if (!isDocument(document)) return document
      return execute(executionArguments(request, document))
    },
    async *subscribe(request) {
      const document = prepare(request.query)
      if (!isDocument(document)) {
        yield document
        return
      }
      const events = await subscribe(executionArguments(request, document))
      if (!isAsyncIterable(events)) {
        yield events
        return
      }
      yield* untilAborted(events, request.signal)
    },
    async ping() {},
    async close() {
      await options.close?.()
    },
  }

  function executionArguments(request: SubgraphRequest, document: DocumentNode) {
    return {
      schema,
      document,
      contextValue: options.context(request.actor, request.signal),
      variableValues: request.variables ?? {},
      operationName: request.operationName ?? null,
    }
  }
}

function isDocument(value: DocumentNode | SubgraphResult): value is DocumentNode {
  return 'kind' in value
}

function isAsyncIterable(
  value: AsyncIterable<ExecutionResult> | ExecutionResult,
): value is AsyncGenerator<ExecutionResult> {
  return Symbol.asyncIterator in value
}
