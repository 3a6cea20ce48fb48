import type { Actor } from '@tutti/schema'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Authenticate } from '../authentication/authenticate.ts'
import type { Denial } from '../authorization/record-denials.ts'
import { textOf } from '../hooks/hook-route.ts'
import { authenticateRequest } from '../http/authenticate-request.ts'
import { limitByAddress } from '../limits/limit-by-address.ts'

/** A request of a directory as governance wants it; who makes it is known. */
export interface ScimCall {
  actor: Actor
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** What follows `/scim/v2/`. */
  path: string
  query: Record<string, string>
  ifMatch: string | null
  ifNoneMatch: string | null
  /** Null when it is no UTF-8. */
  body: string | null
  /** Where directories find us. */
  base: string
}

/** `body`: JSON, null for none. */
export interface ScimAnswer {
  status: number
  headers: Record<string, string>
  body: Record<string, unknown> | null
}

/** Keeps people and groups as a directory says. Throws when nobody can be asked. */
export type ReceiveScim = (call: ScimCall) => Promise<ScimAnswer>

export interface ScimRouteParts {
  receive: ReceiveScim
  authenticate: Authenticate
  /** Writes a refusal into the audit trail; false when it should have been and could not be. */
  record(actor: Actor, denial: Denial): Promise<boolean>
  /** Where directories find us; as the request says unless given. */
  publicUrl: string | undefined
  log: { error(details: object, message: string): void }
}

const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error'
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const MOST_BYTES = 1024 * 1024
/** As many in a second as the most eager directories make; of an actor, and without one of an address. */
const MOST_IN_A_MINUTE = 1_500

/**
 * `/scim/v2/…`: SCIM 2.0 for a directory that keeps an organization's people and groups. The credential is a bearer of the
 * scope access:provision, looked at before the body is read; no session is one. Refusals are SCIM's.
 */
export function scimRoute(app: FastifyInstance, parts: ScimRouteParts): void {
  const limit = limitByAddress(MOST_IN_A_MINUTE)
  const strangers = limitByAddress(MOST_IN_A_MINUTE)
  const known = new WeakMap<FastifyRequest, Actor>()
  app.register(async (scim) => {
    scim.removeAllContentTypeParsers()
    scim.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scim.setErrorHandler((error: { statusCode?: number; code?: string }, _request, reply) => {
      if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse(reply, 413, 'A body has at most 1 MiB.')
      if (error.statusCode !== undefined && error.statusCode < 500)
        return refuse(reply, 400, 'The request is not acceptable.', 'invalidSyntax')
      parts.log.error({ err: error }, 'a request of a directory could not be served')
      return refuse(reply, 503, 'It cannot be served now; try again.')
    })
    scim.route<{ Params: { '*': string } }>({
      method: [...METHODS],
      exposeHeadRoute: false,
      url: '/scim/v2/*',
      bodyLimit: MOST_BYTES,
      async onRequest(request, reply) {
        const caller = await authenticateRequest(parts.authenticate, request, null)
        if ('refusal' in caller && caller.refusal.extensions['code'] === 'UNAVAILABLE')
          return refuse(reply, 503, 'It cannot be served now; try again.')
        const actor = 'refusal' in caller ? null : caller.actor
        const seconds =
          actor === null ? strangers(request.ip) : limit(`${actor.organizationId}/${actor.kind}/${actor.id}`)
        if (seconds !== null) {
          reply.header('retry-after', String(seconds))
          return refuse(reply, 429, 'Too many requests; wait a moment.')
        }
        if (actor === null) {
          reply.header('www-authenticate', 'Bearer realm="scim"')
          return refuse(
            reply,
            401,
            'An API key with the scope access:provision is needed, as a bearer token.',
          )
        }
        if (!actor.scopes.includes('access:provision')) {
          const denial = {
            action: `SCIM ${request.method}`,
            code: 'FORBIDDEN',
            reason: `${request.url.slice(0, 200)} needs access:provision`,
          }
          return (await parts.record(actor, denial))
            ? refuse(reply, 403, 'It needs the scope access:provision.')
            : refuse(reply, 503, 'It cannot be served now; try again.')
        }
        known.set(request, actor)
        return undefined
      },
      async handler(request, reply) {
        const actor = known.get(request)
        const method = METHODS.find((each) => each === request.method)
        if (actor === undefined || method === undefined)
          throw new Error('A request was handled before it was known who asks')
        const { status, headers, body } = await parts.receive({
          actor,
          method,
          path: request.params['*'],
          query: textsOf(request.query),
          ifMatch: headerOf(request, 'if-match'),
          ifNoneMatch: headerOf(request, 'if-none-match'),
          body: textOf(request.body),
          base: new URL('/scim/v2', parts.publicUrl ?? `http://${request.headers.host}`).href,
        })
        reply.status(status).headers(headers).header('cache-control', 'no-store')
        return body === null ? reply.send() : answer(reply, body)
      },
    })
  })
}

const answer = (reply: FastifyReply, body: object): FastifyReply =>
  reply.header('content-type', 'application/scim+json; charset=utf-8').send(JSON.stringify(body))

const refuse = (reply: FastifyReply, status: number, detail: string, scimType?: string): FastifyReply =>
  answer(reply.status(status), {
    schemas: [ERROR_SCHEMA],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail,
  })

function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}

function textsOf(values: unknown): Record<string, string> {
  if (typeof values !== 'object' || values === null) return {}
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
