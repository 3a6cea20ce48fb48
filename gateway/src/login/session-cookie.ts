import type { IncomingHttpHeaders } from 'node:http'
import type { Credential } from '../authentication/credential.ts'
import { nameOf, readCookie } from './cookies.ts'

/** The cookie that holds a session's token, by the name that it has over http. */
export const SESSION_COOKIE = 'tutti_session'

const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']
const PREFLIGHTED = ['apollo-require-preflight', 'x-apollo-operation-name']

/** The session of a request; a browser sends its cookie whoever had it make the request. */
export const sessionOf = (headers: IncomingHttpHeaders, publicUrl: string | undefined): Credential | null => {
  const secret = readCookie(headers.cookie, nameOf(SESSION_COOKIE, isSecure(publicUrl)))
  return secret === undefined || secret === '' ? null : { kind: 'session', secret }
}

/** Whether browsers reach us by https alone. */
export const isSecure = (publicUrl: string | undefined): boolean => publicUrl?.startsWith('https:') ?? false

/**
 * Whether a page of another site cannot have made the request: its origin is ours where it names one, and it bears what
 * a browser sends elsewhere only after asking there (a content type that no form has, a header), or the browser's word.
 */
export function isOwnRequest(headers: IncomingHttpHeaders, publicUrl: string | undefined): boolean {
  const { origin } = headers
  if (origin !== undefined && !isOwnOrigin(headers, publicUrl)) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  if (site === 'same-origin') return true
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return (type !== '' && !SIMPLE_TYPES.includes(type)) || PREFLIGHTED.some((name) => headers[name])
}

/** Whether the request says that a page of our own made it. */
export function isOwnOrigin(headers: IncomingHttpHeaders, publicUrl: string | undefined): boolean {
  const { origin, host } = headers
  if (origin === undefined || !URL.canParse(origin)) return false
  if (publicUrl !== undefined) return new URL(origin).origin === new URL(publicUrl).origin
  return host !== undefined && /^https?:/.test(origin) && new URL(origin).host === host.toLowerCase()
}
