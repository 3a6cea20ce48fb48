import { createHash } from 'node:crypto'
import { buildOperationContext } from '@apollo/gateway'
import { operationFromDocument } from '@apollo/federation-internals'
import type { QueryPlan } from '@apollo/query-planner'
import {
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type OperationTypeNode,
  parse,
  validate,
} from 'graphql'

import { collectRequirements, type OperationAccess } from '../authorization/collect-requirements.ts'
import type { Verdict } from '../authorization/verdict.ts'
import { clientError } from '../errors/client-error.ts'
import { exceededLimit, type Limits } from '../limits/check-limits.ts'
import type { Graph } from './load-graph.ts'

/** One operation of a parsed, limited and validated document, with everything that is computed from it once. */
export interface PreparedOperation {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly kind: OperationTypeNode
  readonly name: string | undefined
  readonly source: string
  readonly context: ReturnType<typeof buildOperationContext>
  readonly access: OperationAccess
  /** By authority; filled by admission. */
  readonly verdicts: Map<string, Verdict>
  /** Planned at first use, which is after admission: an anonymous caller makes us plan nothing. */
  plan(): QueryPlan
}

/** The documents in use, parsed and validated once each. */
export interface PreparedDocuments {
  /** Either the operation or the errors that refuse it; errors are not kept. */
  prepare(source: string, operationName?: string | null): PreparedOperation | readonly GraphQLError[]
  /** A document that is already prepared, by the sha256 hex of its text. */
  byHash(hash: string): DocumentNode | undefined
}

interface Entry {
  document: DocumentNode
  hash: string
  operations: Map<string, PreparedOperation>
}

const MOST_DOCUMENTS = 2_000
const MOST_CHARACTERS = 32 * 1024 * 1024

/** Keeps up to 2,000 documents, the least recently used goes first. */
export function prepareDocuments(graph: Graph, limits: Limits): PreparedDocuments {
  const entries = new Map<string, Entry>()
  const hashes = new Map<string, Entry>()
  let characters = 0

  const remember = (source: string, entry: Entry): void => {
    entries.set(source, entry)
    hashes.set(entry.hash, entry)
    characters += source.length
    for (const [oldest, old] of entries) {
      if (entries.size <= MOST_DOCUMENTS && characters <= MOST_CHARACTERS) break
      entries.delete(oldest)
      hashes.delete(old.hash)
      characters -= oldest.length
    }
  }

  return {
    prepare(source, operationName) {
      if (source.length > limits.queryCharacters) return [tooLarge('It is too long.')]
      let entry = entries.get(source)
      if (entry === undefined) {
        const document = readDocument(graph, limits, source)
        if (!('kind' in document)) return document
        entry = { document, hash: createHash('sha256').update(source).digest('hex'), operations: new Map() }
        remember(source, entry)
      } else {
        entries.delete(source)
        entries.set(source, entry)
      }
      const known = entry.operations.get(operationName ?? '')
      if (known !== undefined) return known
      const prepared = prepareOperation(graph, source, entry.document, operationName)
      if ('kind' in prepared) entry.operations.set(operationName ?? '', prepared)
      return prepared
    },
    byHash: (hash) => hashes.get(hash)?.document,
  }
}

function readDocument(graph: Graph, limits: Limits, source: string): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode
  try {
    document = parse(source, { maxTokens: limits.tokens })
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    if (/more th?a[nt] \d+ tokens/.test(error.message)) return [tooLarge('It is too long.')]
    return [withCode(error, 'GRAPHQL_PARSE_FAILED')]
  }
  const exceeded = exceededLimit(document, limits)
  if (exceeded !== null) return [tooLarge(exceeded)]
  const errors = validate(graph.apiSchema, document, undefined, { maxErrors: 20 })
  return errors.length > 0 ? errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) : document
}

function prepareOperation(
  graph: Graph,
  source: string,
  document: DocumentNode,
  operationName: string | null | undefined,
): PreparedOperation | readonly GraphQLError[] {
  const operation = getOperationAST(document, operationName)
  if (operation === null || operation === undefined) {
    const message = operationName
      ? 'Unknown operation name.'
      : 'Say which operation to run by `operationName`.'
    return [new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } })]
  }
  // Beside the others of its document only the operation itself counts, for planning as for access.
  const own: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: document.definitions.filter(
      (definition) => definition === operation || definition.kind === Kind.FRAGMENT_DEFINITION,
    ),
  }
  const name = operation.name?.value
  let plan: QueryPlan | undefined
  return {
    document: own,
    operation,
    kind: operation.operation,
    name,
    source,
    context: buildOperationContext({ schema: graph.apiSchema, operationDocument: own, operationName: name }),
    access: collectRequirements(graph.security, own, operation),
    verdicts: new Map(),
    plan: () =>
      (plan ??= graph.planner.buildQueryPlan(
        operationFromDocument(graph.internals.api, own, { operationName: name }),
      )),
  }
}

function tooLarge(message: string): GraphQLError {
  return clientError('QUERY_TOO_LARGE', { message })
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    ...(error.nodes === undefined ? {} : { nodes: error.nodes }),
    ...(error.source === undefined ? {} : { source: error.source }),
    ...(error.positions === undefined ? {} : { positions: error.positions }),
    extensions: { ...error.extensions, code },
  })
}
