import { type Actor, ERRORS, type ErrorCode, systemActor } from '@tutti/schema'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client'
import { limitByAddress } from '../limits/limit-by-address.ts'
import type { Denial } from '../authorization/record-denials.ts'
import type { AskLogin, LoginProvider } from './ask-login.ts'
import { cookieOf, nameOf, readCookie } from './cookies.ts'
import { createLoginStates, type LoginState } from './login-state.ts'
import { openProviderClient } from './provider-client.ts'
import { isOwnRequest, isSecure, SESSION_COOKIE, sessionOf } from './session-cookie.ts'

export interface LoginSettings {
  ask: AskLogin
  /** The installation's: cookies between the way to a provider and back are signed with a key of it. */
  secret: string
  /** Where browsers find us, as `https://tutti.example.com`; as the request says unless given. */
  publicUrl?: string | undefined
  /** Whether providers on this machine, without TLS, may be called. */
  allowLocal?: boolean | undefined
}

const LOGIN_COOKIE = 'tutti_login'
/** How long somebody may take at the provider, in seconds. */
const LOGIN_SECONDS = 600
/** Failed logins of one address that are written into the audit trail in a minute; the others are in the log alone. */
const RECORDED_IN_A_MINUTE = 30
/** Logins that one address begins in a minute, and as many that come back: each is a question to a tenant's provider. */
const MOST_IN_A_MINUTE = 120
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * `GET /auth/login`, `GET /auth/callback/<provider>`, `POST /auth/logout`: OpenID Connect's authorization code flow with PKCE, and a
 * session's end. Nothing that a provider or a request says is shown. A login that fails is a denial in the audit trail of the
 * organization; `record` says false when that cannot be written. Returns how to let go of the providers.
 */
export function loginRoutes(
  app: FastifyInstance,
  settings: LoginSettings,
  record: (actor: Actor, denial: Denial) => Promise<boolean>,
  log: { error(details: object, message: string): void },
): () => Promise<void> {
  const { ask, publicUrl } = settings
  const providers = openProviderClient(settings.allowLocal ?? false)
  const states = createLoginStates(settings.secret)
  const secure = isSecure(publicUrl)
  const loginCookie = nameOf(LOGIN_COOKIE, secure)
  const session = (value: string, maxAge: number): string =>
    cookieOf(nameOf(SESSION_COOKIE, secure), value, { path: '/', maxAge, secure })
  const login = (value: string, maxAge: number): string =>
    cookieOf(loginCookie, value, { path: secure ? '/' : '/auth', maxAge, secure })

  const unrecorded = limitByAddress(RECORDED_IN_A_MINUTE)

  /** Refuses a login, and has it written down whose it was as far as that is known. */
  const refuseLogin = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { organizationId, issuer, reason, person }: FailedLogin,
  ): Promise<FastifyReply> => {
    const nobody = { ...systemActor(organizationId, 'login'), name: 'somebody', scopes: [] }
    const actor: Actor = person ? { ...nobody, ...person, kind: 'person' } : nobody
    const code = person ? 'FORBIDDEN' : 'UNAUTHENTICATED'
    const denial = {
      action: 'Login',
      code,
      reason: `${reason} Provider: ${issuer ?? 'removed'}. From: ${request.ip}.`,
    }
    if (unrecorded(request.ip) === null && !(await record(actor, denial)))
      return refuse(request, reply, 'UNAVAILABLE', 'Nobody can log in now. Try again.')
    return person
      ? refuse(request, reply, code, 'You are deactivated here. Ask an administrator of your organization.')
      : refuse(request, reply, code, 'The login did not succeed. Log in again.')
  }

  const findProvider = async (
    organizationId: string,
    providerId: string | null,
  ): Promise<LoginProvider | null> => {
    const answer = await ask({ kind: 'provider', organizationId, providerId })
    return 'provider' in answer ? answer.provider : null
  }

  /** Answers with what went wrong on our side or the provider's, and says it in the log alone. */
  const unavailable = (request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply => {
    log.error({ err: error }, 'nobody could be asked about a login')
    return refuse(request, reply, 'UNAVAILABLE', 'The identity provider cannot be asked now. Try again.')
  }

  const bounded = () => {
    const limit = limitByAddress(MOST_IN_A_MINUTE)
    return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
      const seconds = limit(request.ip)
      if (seconds === null) return undefined
      reply.header('retry-after', String(seconds))
      return refuse(
        request,
        reply,
        'RATE_LIMITED',
        'Too many logins from this address. Try again in a minute.',
      )
    }
  }

  app.get('/auth/login', { onRequest: bounded() }, async (request, reply) => {
    const organization = queryOf(request, 'organization')
    const wanted = queryOf(request, 'provider')
    const returnTo = queryOf(request, 'return') ?? '/graphql'
    if (!isLocalPath(returnTo))
      return refuse(request, reply, 'BAD_INPUT', 'return is a path of this address, as /graphql.')
    try {
      const provider =
        UUID.test(organization ?? '') && (wanted === undefined || UUID.test(wanted))
          ? await findProvider(organization?.toLowerCase() ?? '', wanted?.toLowerCase() ?? null)
          : null
      if (!provider || organization === undefined)
        return refuse(request, reply, 'NOT_FOUND', 'Nobody logs in here by an identity provider.', 404)
      const state: LoginState = {
        organizationId: organization.toLowerCase(),
        providerId: provider.id,
        state: randomState(),
        nonce: randomNonce(),
        verifier: randomPKCECodeVerifier(),
        returnTo,
        redirectUri: new URL(`/auth/callback/${provider.id}`, publicUrl ?? `http://${request.headers.host}`)
          .href,
        until: Date.now() + LOGIN_SECONDS * 1_000,
      }
      const url = await providers.authorizationUrl(provider, state)
      return closed(reply)
        .header('set-cookie', login(states.sign(state), LOGIN_SECONDS))
        .redirect(url, 302)
    } catch (error) {
      return unavailable(request, reply, error)
    }
  })

  // Each provider has a redirect URI of its own (RFC 9700, 4.4.2.2): were there one for all, a provider of another organization
  // could send a browser on to an honest one, and would be handed the honest one's code.
  app.get<Callback>('/auth/callback/:providerId', { onRequest: bounded() }, async (request, reply) => {
    const state = states.read(readCookie(request.headers.cookie, loginCookie))
    // Once, whatever comes of it.
    reply.header('set-cookie', login('', 0))
    if (state === null)
      return refuse(request, reply, 'UNAUTHENTICATED', 'The login did not succeed. Log in again.')
    const { organizationId, providerId } = state
    let provider: LoginProvider | null
    try {
      provider = await findProvider(organizationId, providerId)
    } catch (error) {
      return unavailable(request, reply, error)
    }
    const failed = (reason: string, person?: { id: string; name: string }): Promise<FastifyReply> =>
      refuseLogin(request, reply, { organizationId, issuer: provider?.issuer ?? null, reason, person })
    if (provider === null) return failed('There is no such provider any more.')
    if (request.params.providerId !== providerId || queryOf(request, 'state') !== state.state)
      return failed('It is another login’s callback.')
    let claims: Record<string, unknown>
    try {
      claims = await providers.claims(provider, state, request.url.slice(request.url.indexOf('?') + 1))
    } catch (error) {
      log.error({ err: error }, 'a login was refused')
      return failed('The provider did not say who it is.')
    }
    try {
      const answer = await ask({ kind: 'start', organizationId, providerId, claims })
      const started = 'session' in answer ? answer.session : null
      if ('refused' in answer) return failed('They are deactivated.', answer.refused)
      if (started === null) return failed('What the provider says of them is of no use.')
      // The one that the browser had would live on where nobody can end it any more.
      const before = sessionOf(request.headers, publicUrl)
      if (before?.kind === 'session') await ask({ kind: 'end', token: before.secret })
      const seconds = Math.max(0, Math.floor((started.expiresAt - Date.now()) / 1_000))
      return closed(reply)
        .removeHeader('set-cookie')
        .header('set-cookie', [login('', 0), session(started.token, seconds)])
        .redirect(state.returnTo, 303)
    } catch (error) {
      return unavailable(request, reply, error)
    }
  })

  // Before a body is read: a form's would be refused as such.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> =>
    isOwnRequest(request.headers, publicUrl)
      ? undefined
      : refuse(request, reply, 'FORBIDDEN', 'Only a page of this address logs somebody out.')
  app.post('/auth/logout', { onRequest }, async (request, reply) => {
    const credential = sessionOf(request.headers, publicUrl)
    try {
      if (credential?.kind === 'session') await ask({ kind: 'end', token: credential.secret })
    } catch (error) {
      return unavailable(request, reply, error)
    }
    return closed(reply).header('set-cookie', session('', 0)).status(204).send()
  })

  return async () => providers[Symbol.asyncDispose]()
}

interface Callback {
  Params: { providerId: string }
}

interface FailedLogin {
  organizationId: string
  /** Null: the provider was removed meanwhile. */
  issuer: string | null
  reason: string
  /** Whom the provider says it was; known only when it was somebody who may not. */
  person: { id: string; name: string } | undefined
}

function queryOf(request: FastifyRequest, name: string): string | undefined {
  const { query } = request
  if (typeof query !== 'object' || query === null) return undefined
  const value: unknown = new Map<string, unknown>(Object.entries(query)).get(name)
  return typeof value === 'string' ? value : undefined
}

/** A path of our own: browsers take `//`, `/\` and what holds a control character for another site's address. */
function isLocalPath(path: string): boolean {
  if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(path) || path.includes('\\') || path.length > 1_000) return false
  return new URL(path, 'http://here.invalid').host === 'here.invalid'
}

const closed = (reply: FastifyReply): FastifyReply =>
  reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')

/** A page for a browser, JSON for others; both say nothing but what we wrote. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  code: ErrorCode,
  message: string,
  status: number = ERRORS[code].status === 200 ? 400 : ERRORS[code].status,
): FastifyReply {
  closed(reply).status(status)
  if (!(request.headers.accept ?? '').includes('text/html')) {
    return reply
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ errors: [{ message, extensions: { code } }] }))
  }
  return reply
    .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
    .type('text/html; charset=utf-8')
    .send(`<!doctype html><html lang="en"><title>${code}</title><h1>${message}</h1><p>${code}</p></html>`)
}
