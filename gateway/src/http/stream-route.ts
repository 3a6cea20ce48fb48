import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { isRecord } from '@tutti/schema'
import { APPROVAL_HEADER, approvalsOf } from '../authorization/approvals-of.ts'
import type { CredentialWatch } from '../authentication/watch-credentials.ts'
import { clientError } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { OperationRequest, RunOperation } from '../graph/run-operation.ts'
import type { Subscriber } from '../subscriptions/shared-message.ts'
import type { Callers } from './callers.ts'
import { refuse } from './refuse.ts'

export interface StreamRouteParts {
  callers: Callers
  watch: CredentialWatch
  run: RunOperation
  present: PresentError
  maxBufferedBytes: number
  heartbeatMs: number
  /** Streams that are open, so that draining can end them. */
  open: Set<() => void>
}

/**
 * `GET` and `POST /graphql/stream`: the graphql-sse protocol's distinct connections mode. Every event carries its
 * cursor as `id`, so that `Last-Event-ID` resumes.
 */
export function streamRoute(app: FastifyInstance, parts: StreamRouteParts): void {
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const caller = parts.callers.of(request)
    const operation = readOperation(request)
    if (operation === null) {
      const error = clientError('BAD_INPUT', { message: 'A GraphQL request needs a `query`.' })
      return refuse(reply, [error], parts.present)
    }
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
    })
    raw.write(':\n\n')

    const heartbeat = setInterval(() => raw.write(':\n\n'), parts.heartbeatMs)
    const write = (text: string): void => {
      raw.write(text)
      if (raw.writableLength > parts.maxBufferedBytes) raw.destroy()
    }
    const subscriber: Subscriber = {
      next: ({ cursor, payload }) =>
        write(`event: next\n${cursor === null ? '' : `id: ${cursor}\n`}data: ${payload}\n\n`),
      fail: (errors) =>
        raw.end(`event: next\ndata: ${JSON.stringify({ errors })}\n\nevent: complete\ndata: \n\n`),
      complete: () => raw.end('event: complete\ndata: \n\n'),
      pressure: () => raw.writableLength,
    }
    const stop = parts.run(operation, caller.actor, subscriber)
    const unwatch =
      caller.actor === null || caller.credential === null
        ? undefined
        : parts.watch.watch(caller.credential, caller.actor, (reason) => {
            stop()
            subscriber.fail([
              parts.present(clientError('UNAUTHENTICATED', { message: `The credential is ${reason}.` })),
            ])
          })
    // Cut off without `complete`, so that the client knows to come back.
    const cut = (): void => {
      raw.destroy()
    }
    parts.open.add(cut)
    raw.once('close', () => {
      clearInterval(heartbeat)
      unwatch?.()
      parts.open.delete(cut)
      stop()
    })
    return reply
  }
  app.post('/graphql/stream', parts.callers.hooks, handle)
  app.get('/graphql/stream', parts.callers.hooks, handle)
}

function readOperation(request: FastifyRequest): OperationRequest | null {
  const get = request.method === 'GET'
  const source: unknown = get ? request.query : request.body
  if (!isRecord(source)) return null
  const query = source['query']
  if (typeof query !== 'string' || query === '') return null
  const variables = get ? parsedRecord(source['variables']) : source['variables']
  if (variables !== undefined && variables !== null && !isRecord(variables)) return null
  const extensions = get ? parsedRecord(source['extensions']) : source['extensions']
  const resume = request.headers['last-event-id'] ?? (isRecord(extensions) ? extensions['resume'] : null)
  return {
    query,
    operationName: typeof source['operationName'] === 'string' ? source['operationName'] : null,
    variables: variables ?? null,
    resume: typeof resume === 'string' && resume !== '' ? resume : null,
    readOnly: get,
    approvals: approvalsOf(request.headers[APPROVAL_HEADER], extensions),
  }
}

function parsedRecord(value: unknown): unknown {
  if (typeof value !== 'string' || value === '' || value.includes('"__proto__"')) return undefined
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
