import { MOST_VALUE_BYTES } from '@tutti/schema'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { takeBodiesAsTheyCome, textOf } from './hook-route.ts'

/** A call of a connector as the agents subgraph wants it: sources sign in headers of their own. */
export interface ConnectorCall {
  method: 'GET' | 'POST'
  /** What follows `/connectors/`. */
  path: string
  query: Record<string, string>
  /** By small names; without those that belong to nobody but us. */
  headers: Record<string, string>
  /** Null when it is no UTF-8. */
  body: string | null
}

export interface ConnectorAnswer {
  status: number
  /** JSON, or text as it stands. */
  body: Record<string, unknown> | string
  /** Seconds: the header Retry-After. */
  retryAfter?: number | undefined
}

/** Verifies a call and takes it. Throws when nobody can be asked. */
export type ReceiveConnectorCall = (call: ConnectorCall) => Promise<ConnectorAnswer>

const KEPT_BACK = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * `POST /connectors/<secret path>`, at which connectors call, and `GET`, by which some ask whether the path is ours. Whether
 * there is such a connector is not known here: every path is asked for alike.
 */
export function connectorRoute(
  app: FastifyInstance,
  receive: ReceiveConnectorCall,
  log: { error(details: object, message: string): void },
): void {
  app.register(async (connectors) => {
    takeBodiesAsTheyCome(connectors, log)
    connectors.route<{ Params: { '*': string } }>({
      method: ['GET', 'POST'],
      exposeHeadRoute: false,
      url: '/connectors/*',
      bodyLimit: MOST_VALUE_BYTES,
      async handler(request, reply) {
        const { status, body, retryAfter } = await receive({
          method: request.method === 'GET' ? 'GET' : 'POST',
          path: request.params['*'],
          query: textsOf(request.query),
          headers: headersOf(request),
          body: textOf(request.body),
        })
        if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
        if (typeof body === 'string') reply.type('text/plain; charset=utf-8')
        return reply.status(status).send(body)
      },
    })
  })
}

const headersOf = ({ headers }: FastifyRequest): Record<string, string> =>
  Object.fromEntries(Object.entries(textsOf(headers)).filter(([name]) => !KEPT_BACK.has(name)))

/** What has one value. */
function textsOf(values: unknown): Record<string, string> {
  if (typeof values !== 'object' || values === null) return {}
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
