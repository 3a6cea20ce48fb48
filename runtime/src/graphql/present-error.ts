import { randomUUID } from 'node:crypto'
import { ERRORS, TuttiError } from '@tutti/schema'
import { GraphQLError } from 'graphql'
import type { Log } from '../process/create-log.ts'

/**
 * What a client may see of an error: ours as they are; GraphQL's own mistakes (syntax, validation, variables) as
 * BAD_INPUT; everything else as INTERNAL with a reference under which the log has the rest.
 */
export function presentError(error: GraphQLError, log: Log): GraphQLError {
  const original = unwrap(error)
  if (original instanceof TuttiError) return rebuild(error, original.message, original.extensions)
  if (original === undefined) {
    return rebuild(error, error.message, { code: 'BAD_INPUT', retryable: false, ...error.extensions })
  }
  const reference = randomUUID()
  log.error({ err: original, reference, path: error.path }, 'an operation failed')
  return rebuild(error, ERRORS.INTERNAL.message, { code: 'INTERNAL', retryable: true, reference })
}

function unwrap(error: GraphQLError): Error | undefined {
  let current: Error | null | undefined = error
  while (current instanceof GraphQLError) current = current.originalError
  return current ?? undefined
}

const rebuild = (error: GraphQLError, message: string, extensions: Record<string, unknown>): GraphQLError =>
  new GraphQLError(message, { nodes: error.nodes, path: error.path, extensions })
