import { type ApolloServer, HeaderMap } from '@apollo/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { clientError } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { PreparedDocuments } from '../graph/prepare-operation.ts'
import type { Callers } from './callers.ts'
import type { HttpContext } from './create-apollo.ts'
import { refuse } from './refuse.ts'

export interface GraphqlRouteParts {
  apollo: ApolloServer<HttpContext>
  documents: PreparedDocuments
  callers: Callers
  present: PresentError
  /** Answers a browser; null where GraphiQL is not offered. */
  page: ((reply: FastifyReply) => FastifyReply) | null
}

/** `GET` and `POST /graphql`: one operation a request. */
export function graphqlRoute(app: FastifyInstance, parts: GraphqlRouteParts): void {
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const caller = parts.callers.of(request)
    const asked = readOperation(request)
    if (asked !== null) {
      const prepared = parts.documents.prepare(asked.query, asked.operationName)
      if (!('kind' in prepared)) return refuse(reply, prepared, parts.present)
    }
    const gone = new AbortController()
    const onClose = (): void => {
      if (!reply.raw.writableFinished) gone.abort()
    }
    reply.raw.once('close', onClose)
    const headers = new HeaderMap()
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
    }
    const mark = request.url.indexOf('?')
    const response = await parts.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers,
        search: mark === -1 ? '' : request.url.slice(mark),
        body: request.body,
      },
      context: async () => ({ actor: caller.actor, signal: gone.signal }),
    })
    reply.raw.off('close', onClose)
    reply.status(response.status ?? 200)
    for (const [name, value] of response.headers) reply.header(name, value)
    if (response.body.kind === 'chunked') throw new Error('Incremental delivery is not offered')
    return reply.send(response.body.string)
  }

  app.post('/graphql', parts.callers.hooks, handle)
  app.get('/graphql', parts.callers.hooks, async (request, reply) => {
    if (parts.page !== null && wantsPage(request)) return parts.page(reply)
    return handle(request, reply)
  })
}

/** A browser that opens the address, not a client that asks something. */
function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html') && !/[?&]query=/.test(request.url)
}

function readOperation(request: FastifyRequest): { query: string; operationName: string | null } | null {
  const source: unknown = request.method === 'GET' ? request.query : request.body
  if (typeof source !== 'object' || source === null || !('query' in source)) return null
  const { query } = source
  const operationName = 'operationName' in source ? source.operationName : null
  if (typeof query !== 'string' || query === '') return null
  return { query, operationName: typeof operationName === 'string' ? operationName : null }
}

/** Fastify's own failures (a body too large, not JSON, poisoned) in GraphQL's form. */
export function answerErrors(app: FastifyInstance, present: PresentError): void {
  app.setErrorHandler((error: { statusCode?: number; code?: string; message: string }, _request, reply) => {
    const large = error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
    const client = error.statusCode !== undefined && error.statusCode < 500
    const shown = large
      ? clientError('QUERY_TOO_LARGE', { message: 'The body is too large.' })
      : client
        ? clientError('BAD_INPUT', {
            message: 'The request is not acceptable: a JSON object of a GraphQL request is needed.',
          })
        : error
    const formatted = present(shown)
    return reply
      .status(large || client ? 400 : 500)
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify({ errors: [formatted] }))
  })
}
