import type { FastifyReply } from 'fastify'
import type { GraphQLError } from 'graphql'

import { statusOf } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'

/** The whole request's failure, as a GraphQL response. */
export function refuse(
  reply: FastifyReply,
  errors: readonly GraphQLError[],
  present: PresentError,
): FastifyReply {
  return reply
    .status(statusOf(errors))
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ errors: errors.map(present) }))
}
