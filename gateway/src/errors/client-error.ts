import { type ErrorCode, ERRORS } from '@tutti/schema'
import { GraphQLError } from 'graphql'

export interface ClientErrorOptions {
  message?: string
  path?: readonly (string | number)[]
  extensions?: Record<string, unknown>
}

/** A GraphQL error with a code of the catalogue and the catalogue's message. */
export function clientError(code: ErrorCode, options: ClientErrorOptions = {}): GraphQLError {
  return new GraphQLError(options.message ?? ERRORS[code].message, {
    ...(options.path === undefined ? {} : { path: options.path }),
    extensions: { code, retryable: ERRORS[code].retryable, ...options.extensions },
  })
}

/** HTTP status of a request that failed as a whole with these errors. */
export function statusOf(errors: readonly { extensions?: Record<string, unknown> }[]): number {
  const code = errors[0]?.extensions?.['code']
  const known = typeof code === 'string' && code in ERRORS ? ERRORS[code as ErrorCode].status : 400
  return known === 200 ? 400 : known
}
