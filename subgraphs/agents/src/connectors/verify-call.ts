import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** How a source signs its calls. */
export const SCHEMES = ['standard_webhooks', 'github', 'linear', 'notion', 'slack', 'vercel', 'meta'] as const
export type Scheme = (typeof SCHEMES)[number]

/** A call as the gateway got it. */
export interface ConnectorCall {
  method: 'GET' | 'POST'
  /** What follows `/connectors/`. */
  path: string
  query: Readonly<Record<string, string>>
  /** By small names. */
  headers: Readonly<Record<string, string>>
  /** Exactly as it came; null when it is no UTF-8. */
  body: string | null
}

/** Of a sender's clock and of a call's way, seconds. */
const TOLERANCE_SECONDS = 5 * 60

/** Header and digest of each source's signature, and what is signed; null where a part of it is missing or out of time. */
interface Signature {
  given: string
  expected: string
}

type Sign = (call: ConnectorCall, body: string, secret: string, now: number) => Signature | null

const hmac = (
  algorithm: 'sha1' | 'sha256',
  key: string | Buffer,
  text: string,
  as: 'hex' | 'base64' = 'hex',
) => createHmac(algorithm, key).update(text).digest(as)

const ofBody =
  (header: string, algorithm: 'sha1' | 'sha256', prefix = ''): Sign =>
  ({ headers }, body, secret) => ({
    given: headers[header] ?? '',
    expected: `${prefix}${hmac(algorithm, secret, body)}`,
  })

const SIGNATURES: Readonly<Record<Exclude<Scheme, 'standard_webhooks'>, Sign>> = {
  github: ofBody('x-hub-signature-256', 'sha256', 'sha256='),
  meta: ofBody('x-hub-signature-256', 'sha256', 'sha256='),
  notion: ofBody('x-notion-signature', 'sha256', 'sha256='),
  vercel: ofBody('x-vercel-signature', 'sha1'),
  linear: (call, body, secret, now) => {
    const signature = ofBody('linear-signature', 'sha256')(call, body, secret, now)
    const sentAt = fieldOf(parseJson(body), 'webhookTimestamp')
    return typeof sentAt === 'number' && isNear(sentAt / 1_000, now) ? signature : null
  },
  slack: ({ headers }, body, secret, now) => {
    const timestamp = headers['x-slack-request-timestamp'] ?? ''
    const expected = `v0=${hmac('sha256', secret, `v0:${timestamp}:${body}`)}`
    return isTimely(timestamp, now) ? { given: headers['x-slack-signature'] ?? '', expected } : null
  },
}

/**
 * Whether a source has signed the call with this secret, and within five minutes where it signs a time. `now` is in
 * seconds since the epoch. The same work is done for every call of a scheme, and compared in constant time.
 */
export function isGenuine(
  scheme: Scheme,
  call: ConnectorCall,
  secret: string,
  now = Date.now() / 1_000,
): boolean {
  const body = call.body ?? ''
  if (scheme === 'standard_webhooks') return isStandard(call, body, secret, now) && call.body !== null
  const signature = SIGNATURES[scheme](call, body, secret, now)
  return signature !== null && isSame(signature.given, signature.expected) && call.body !== null
}

/** `webhook-signature` holds one or more, while a secret is being rotated. */
function isStandard({ headers }: ConnectorCall, body: string, secret: string, now: number): boolean {
  const [id = '', timestamp = ''] = [headers['webhook-id'], headers['webhook-timestamp']]
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = `v1,${hmac('sha256', key, `${id}.${timestamp}.${body}`, 'base64')}`
  const given = (headers['webhook-signature'] ?? '').split(' ').slice(0, 10)
  const matches = given.filter((each) => isSame(each, expected))
  return matches.length > 0 && id !== '' && isTimely(timestamp, now)
}

/** Compared by their sums: those are of one length, so that not even a length shows. */
export function isSame(given: string, expected: string): boolean {
  const sum = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(sum(given), sum(expected))
}

const isNear = (seconds: number, now: number): boolean => Math.abs(now - seconds) <= TOLERANCE_SECONDS
const isTimely = (text: string, now: number): boolean => /^\d{1,12}$/.test(text) && isNear(Number(text), now)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A field of an object; undefined of anything else. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}

/** Where a source says which delivery a call is: a header, which it does not sign, or a field of the body, which it does. */
const IDS: Readonly<Record<Scheme, { header?: string; field?: string; signed: boolean }>> = {
  standard_webhooks: { header: 'webhook-id', signed: true },
  github: { header: 'x-github-delivery', signed: false },
  linear: { header: 'linear-delivery', signed: false },
  notion: { field: 'id', signed: true },
  slack: { field: 'event_id', signed: true },
  vercel: { field: 'id', signed: true },
  meta: { signed: false },
}

const LONGEST_ID = 200

/**
 * By what a delivery is known: the source's id for it, the sum of its body, or both. It is taken when none of them has been
 * seen: an id that is not signed may be another at a replay, the body may not. The first is the one that readers see.
 */
export function deliveryKeys(scheme: Scheme, { headers, body }: ConnectorCall, payload: unknown): string[] {
  const { header, field, signed } = IDS[scheme]
  const given = header === undefined ? fieldOf(payload, field ?? '') : headers[header]
  const id = typeof given === 'string' && given !== '' ? given : null
  const sum = (text: string) => createHash('sha256').update(text).digest('base64url')
  const named = id === null ? [] : [id.length > LONGEST_ID ? `id:${sum(id)}` : id]
  return signed && id !== null ? named : [...named, `body:${sum(body ?? '')}`]
}
