import { ERRORS } from '@tutti/schema'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'

/** Codes of GraphQL itself that say only what the client sent. */
const PROTOCOL_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_SUPPORTED',
])

export interface PresentErrorSettings {
  /** Production: no "Did you mean", which names fields the client did not ask for. */
  hideSchemaDetails: boolean
  /** Told of everything that is masked. */
  onMasked(error: unknown): void
}

/** Turns whatever failed into what a client may see. */
export type PresentError = (error: unknown) => GraphQLFormattedError

/** Errors with a code of ours pass, without naming the subgraph; everything else becomes INTERNAL and is logged. */
export function createPresentError(settings: PresentErrorSettings): PresentError {
  return (error) => {
    const formatted = error instanceof GraphQLError ? error.toJSON() : isFormatted(error) ? error : null
    const code = formatted?.extensions?.['code']
    if (formatted !== null && typeof code === 'string' && (code in ERRORS || PROTOCOL_CODES.has(code))) {
      const { serviceName: _, stacktrace: __, http: ___, ...extensions } = formatted.extensions ?? {}
      return {
        ...formatted,
        ...pathOf(formatted),
        message: settings.hideSchemaDetails ? withoutSuggestion(formatted.message) : formatted.message,
        extensions,
      }
    }
    settings.onMasked(error)
    return {
      message: ERRORS.INTERNAL.message,
      ...pathOf(formatted),
      extensions: { code: 'INTERNAL', retryable: ERRORS.INTERNAL.retryable },
    }
  }
}

function isFormatted(error: unknown): error is GraphQLFormattedError {
  return typeof error === 'object' && error !== null && 'message' in error && 'extensions' in error
}

function withoutSuggestion(message: string): string {
  return message.replace(/ ?Did you mean .*$/s, '')
}

/** Without the step into `_entities`, which is the planner's and not the client's. */
function pathOf(formatted: GraphQLFormattedError | null): { path?: (string | number)[] } {
  return formatted?.path === undefined ? {} : { path: formatted.path.filter((step) => step !== '_entities') }
}
