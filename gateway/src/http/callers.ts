import { Transform, type TransformCallback } from 'node:stream'
import type { FastifyReply, FastifyRequest, preParsingAsyncHookHandler } from 'fastify'

import type { Authenticate } from '../authentication/authenticate.ts'
import type { PresentError } from '../errors/present-error.ts'
import { clientError } from '../errors/client-error.ts'
import { authenticateRequest } from './authenticate-request.ts'
import { refuse } from './refuse.ts'

type Known = Exclude<Awaited<ReturnType<typeof authenticateRequest>>, { refusal: unknown }>

export interface CallerSettings {
  authenticate: Authenticate
  present: PresentError
  /** Bytes of a body that is read for somebody without a credential. */
  anonymousBytes: number
  /** Null: there are no sessions. */
  sessions: { publicUrl?: string | undefined } | null
}

/** Says who asks before a byte of the body is read: only callers we know may send much. */
export interface Callers {
  /** For a route; refuses a credential that is not good, and a large body of somebody without one. */
  hooks: {
    onRequest(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>
    preParsing: preParsingAsyncHookHandler
  }
  /** Of a request that came past the hooks. */
  of(request: FastifyRequest): Known
}

/** Callers of the routes that bear its hooks. */
export function createCallers({ authenticate, present, anonymousBytes, sessions }: CallerSettings): Callers {
  const known = new WeakMap<FastifyRequest, Known>()
  return {
    hooks: {
      async onRequest(request, reply) {
        const caller = await authenticateRequest(authenticate, request, sessions)
        if ('refusal' in caller) return refuse(reply, [caller.refusal], present)
        if (caller.actor === null && Number(request.headers['content-length'] ?? 0) > anonymousBytes) {
          return refuse(
            reply,
            [clientError('QUERY_TOO_LARGE', { message: 'The body is too large.' })],
            present,
          )
        }
        known.set(request, caller)
        return undefined
      },
      // A body that does not say its length is counted as it comes.
      async preParsing(request, _reply, payload) {
        const caller = known.get(request)
        if (caller === undefined || caller.actor !== null) return payload
        return payload.pipe(atMost(anonymousBytes)).on('error', () => payload.unpipe())
      },
    },
    of(request) {
      const caller = known.get(request)
      if (caller === undefined) throw new Error('A request was handled before it was known who asks')
      return caller
    },
  }
}

class TooLarge extends Error {
  readonly code = 'FST_ERR_CTP_BODY_TOO_LARGE'
  readonly statusCode = 413
}

function atMost(bytes: number): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      seen += chunk.byteLength
      if (seen > bytes) done(new TooLarge('The body is too large.'))
      else done(null, chunk)
    },
  })
}
