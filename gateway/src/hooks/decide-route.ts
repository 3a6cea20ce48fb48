import type { FastifyInstance } from 'fastify'
import { limitByAddress } from '../limits/limit-by-address.ts'
import { takeBodiesAsTheyCome, textOf } from './hook-route.ts'

/** A visit of a link as governance wants it. */
export interface DecisionCall {
  method: 'GET' | 'POST'
  /** What follows `/decide/`. */
  token: string
  /** Null when it is no UTF-8. */
  body: string | null
}

interface DecisionPage {
  status: number
  headers: Record<string, string>
  /** HTML. */
  body: string
}

/** Shows what a link is for, or does it. Throws when nobody can be asked. */
export type ReceiveDecision = (call: DecisionCall) => Promise<DecisionPage>

const MOST_BYTES = 256 * 1024
const MOST_IN_A_MINUTE = 120

/**
 * `GET /decide/<token>`, the page of a link that decides without a session, and `POST`, which decides by it. Whether there is
 * such a link is not known here: every token is asked for alike, and so many a minute from one address.
 */
export function decideRoute(
  app: FastifyInstance,
  receive: ReceiveDecision,
  log: { error(details: object, message: string): void },
): void {
  const limit = limitByAddress(MOST_IN_A_MINUTE)
  app.register(async (links) => {
    takeBodiesAsTheyCome(links, log)
    links.route<{ Params: { '*': string } }>({
      method: ['GET', 'POST'],
      exposeHeadRoute: false,
      url: '/decide/*',
      bodyLimit: MOST_BYTES,
      async onRequest(request, reply) {
        const seconds = limit(request.ip)
        if (seconds === null) return undefined
        return reply
          .status(429)
          .headers({
            'retry-after': String(seconds),
            'cache-control': 'no-store',
            'referrer-policy': 'no-referrer',
          })
          .type('text/plain; charset=utf-8')
          .send('Too many calls from this address. Try again in a minute.\n')
      },
      async handler(request, reply) {
        const { status, headers, body } = await receive({
          method: request.method === 'GET' ? 'GET' : 'POST',
          token: request.params['*'],
          body: textOf(request.body),
        })
        return reply.status(status).headers(headers).send(body)
      },
    })
  })
}
