import { MOST_VALUE_BYTES } from '@tutti/schema'
import type { FastifyInstance } from 'fastify'

/** A call of a hook as the workflows subgraph wants it. */
export interface HookCall {
  /** What follows `/hooks/`, or `/callbacks/`. */
  path: string
  contentType: string | null
  webhookId: string | null
  timestamp: string | null
  signature: string | null
  /** Null when it is no UTF-8. */
  body: string | null
}

export interface HookAnswer {
  status: number
  body: Record<string, unknown>
  /** Seconds: the header Retry-After. */
  retryAfter?: number | undefined
}

/** Does what a hook is for. Throws when nobody can be asked. */
export type ReceiveHook = (call: HookCall) => Promise<HookAnswer>

const TOO_LARGE = { code: 'QUERY_TOO_LARGE', message: 'The body is larger than 2 MiB.' }
const UNAVAILABLE = { code: 'UNAVAILABLE', message: 'The hook cannot be served now; try again.' }

/**
 * `POST /hooks/<secret path>`, which starts something, and `POST /callbacks/<token>`, by which an agent answers later: the
 * only doors without a credential. Whether there is such a hook and whether the call may use it is not known here: every
 * path is asked for alike.
 */
export function hookRoute(
  app: FastifyInstance,
  at: 'hooks' | 'callbacks',
  receive: ReceiveHook,
  log: { error(details: object, message: string): void },
): void {
  app.register(async (hooks) => {
    takeBodiesAsTheyCome(hooks, log)
    hooks.post<{ Params: { '*': string } }>(
      `/${at}/*`,
      { bodyLimit: MOST_VALUE_BYTES },
      async (request, reply) => {
        const header = (name: string): string | null => {
          const value = request.headers[name]
          return typeof value === 'string' ? value : null
        }
        const { status, body, retryAfter } = await receive({
          path: request.params['*'],
          contentType: header('content-type'),
          webhookId: header('webhook-id'),
          timestamp: header('webhook-timestamp'),
          signature: header('webhook-signature'),
          body: textOf(request.body),
        })
        if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
        return reply.status(status).send(body)
      },
    )
  })
}

/** No body is parsed; failures are told without their reasons. */
export function takeBodiesAsTheyCome(
  hooks: FastifyInstance,
  log: { error(details: object, message: string): void },
): void {
  hooks.removeAllContentTypeParsers()
  hooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  hooks.setErrorHandler((error: { statusCode?: number; code?: string }, _request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return reply.status(413).send(TOO_LARGE)
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return reply.status(400).send({ code: 'BAD_INPUT', message: 'The request is not acceptable.' })
    }
    log.error({ err: error }, 'a hook could not be served')
    return reply.status(503).send(UNAVAILABLE)
  })
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A body as text, byte for byte; null when it is no UTF-8. */
export function textOf(body: unknown): string | null {
  if (!Buffer.isBuffer(body)) return ''
  try {
    return decoder.decode(body)
  } catch {
    return null
  }
}
