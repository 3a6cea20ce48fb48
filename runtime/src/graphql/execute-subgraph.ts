import { SpanStatusCode, trace } from '@opentelemetry/api'
import { type Actor, TuttiError } from '@tutti/schema'
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  parse,
  validate,
} from 'graphql'
import type { Log } from '../process/create-log.ts'
import type { Subgraph } from './define-subgraph.ts'
import { presentError } from './present-error.ts'
import { untilAborted } from './until-aborted.ts'

export interface SubgraphRequest {
  query: string
  variables?: Record<string, unknown> | null | undefined
  operationName?: string | null | undefined
  actor: Actor | null
}

/** A subgraph bound to its services: the one way in, for the gateway in process and for the HTTP server. */
export interface RunningSubgraph {
  readonly name: string
  readonly sdl: string
  execute(request: SubgraphRequest): Promise<ExecutionResult>
  /** Ends when `signal` aborts, also while the source waits for its next event. A refusal is one result with errors. */
  subscribe(request: SubgraphRequest, signal: AbortSignal): AsyncGenerator<ExecutionResult>
}

const DOCUMENT_LIMIT = 2_000
const tracer = trace.getTracer('tutti')

/** Binds a subgraph to its services. Documents are parsed and validated once each. */
export function bindSubgraph<Services>(
  subgraph: Subgraph<Services>,
  services: Services,
  log: Log,
): RunningSubgraph {
  const documents = new Map<string, DocumentNode | readonly GraphQLError[]>()

  const documentOf = (query: string): DocumentNode | readonly GraphQLError[] => {
    const known = documents.get(query)
    if (known) return known
    if (documents.size >= DOCUMENT_LIMIT) documents.clear()
    const made = prepare(subgraph, query)
    documents.set(query, made)
    return made
  }

  const present = (result: ExecutionResult): ExecutionResult =>
    result.errors ? { ...result, errors: result.errors.map((error) => presentError(error, log)) } : result

  const refused = (
    actor: Actor | null,
    document: DocumentNode | readonly GraphQLError[],
  ): ExecutionResult | undefined => {
    if (isErrors(document)) return present({ errors: document })
    if (!actor && !asksForSdlOnly(document)) return present({ errors: [unauthenticated()] })
    return undefined
  }

  const argumentsOf = (request: SubgraphRequest, document: DocumentNode) => ({
    schema: subgraph.schema,
    document,
    contextValue: request.actor ? subgraph.context(services, request.actor) : {},
    variableValues: request.variables ?? {},
    operationName: request.operationName,
  })

  return {
    name: subgraph.name,
    sdl: subgraph.sdl,
    async execute(request) {
      const document = documentOf(request.query)
      const refusal = refused(request.actor, document)
      if (refusal || isErrors(document)) return refusal ?? {}
      return tracer.startActiveSpan(`subgraph ${subgraph.name}`, async (span) => {
        try {
          const result = await execute(argumentsOf(request, document))
          if (result.errors) span.setStatus({ code: SpanStatusCode.ERROR })
          return present(result)
        } finally {
          span.end()
        }
      })
    },
    async *subscribe(request, signal) {
      const document = documentOf(request.query)
      const refusal = refused(request.actor, document)
      if (refusal || isErrors(document)) {
        yield refusal ?? {}
        return
      }
      // A context for each event: its loaders would otherwise answer with what they read for an earlier one.
      const args = () => {
        const { contextValue, ...rest } = argumentsOf(request, document)
        return { ...rest, contextValue: { ...contextValue, signal } }
      }
      const events = await createSourceEventStream(args())
      if (!(Symbol.asyncIterator in events)) {
        yield present(events)
        return
      }
      try {
        for await (const event of untilAborted(events, signal))
          yield present(await execute({ ...args(), rootValue: event }))
      } catch (error) {
        // The feed itself broke, as on a cursor that is none: said to the client like any refusal.
        yield present({ errors: [new GraphQLError('', { originalError: asError(error) })] })
      }
    },
  }
}

function prepare(
  subgraph: Pick<Subgraph<never>, 'schema'>,
  query: string,
): DocumentNode | readonly GraphQLError[] {
  try {
    const document = parse(query)
    const errors = validate(subgraph.schema, document)
    return errors.length > 0 ? errors : document
  } catch (error) {
    return [error instanceof GraphQLError ? error : new GraphQLError('The document could not be read.')]
  }
}

const isErrors = (document: DocumentNode | readonly GraphQLError[]): document is readonly GraphQLError[] =>
  Array.isArray(document)

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

const unauthenticated = (): GraphQLError =>
  new GraphQLError('', { originalError: new TuttiError('UNAUTHENTICATED') })

/** Composition asks for `_service` before anybody is known. */
function asksForSdlOnly(document: DocumentNode): boolean {
  return document.definitions.every(
    (definition) =>
      definition.kind === 'OperationDefinition' &&
      definition.selectionSet.selections.every(
        (each) => each.kind === 'Field' && each.name.value === '_service',
      ),
  )
}
