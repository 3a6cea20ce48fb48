import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ConnectorCall, deliveryKeys, isGenuine, type Scheme, SCHEMES } from './verify-call.ts'

const NOW = 1_795_000_000
const SECRET = 'the-secret-that-both-know'
const KEY = Buffer.from('thirty-two bytes of a signing key').toString('base64')
const hmac = (algorithm: string, key: string | Buffer, text: string) =>
  createHmac(algorithm, key).update(text)

const secretOf = (scheme: Scheme): string => (scheme === 'standard_webhooks' ? `whsec_${KEY}` : SECRET)
/** What Linear signs bears its time. */
const bodyOf = (scheme: Scheme, said: string, sentAt = NOW): string =>
  scheme === 'linear' ? JSON.stringify({ said, webhookTimestamp: sentAt * 1_000 }) : JSON.stringify({ said })

/** The headers that each source's own documentation describes. */
const SIGNED: Record<Scheme, (body: string, secret: string, at: number) => Record<string, string>> = {
  standard_webhooks: (body, secret, at) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${hmac('sha256', Buffer.from(secret.slice(6), 'base64'), `msg_1.${at}.${body}`).digest('base64')}`,
  }),
  github: (body, secret) => ({
    'x-hub-signature-256': `sha256=${hmac('sha256', secret, body).digest('hex')}`,
    'x-github-delivery': 'a-delivery',
  }),
  meta: (body, secret) => ({
    'x-hub-signature-256': `sha256=${hmac('sha256', secret, body).digest('hex')}`,
  }),
  notion: (body, secret) => ({
    'x-notion-signature': `sha256=${hmac('sha256', secret, body).digest('hex')}`,
  }),
  linear: (body, secret) => ({
    'linear-signature': hmac('sha256', secret, body).digest('hex'),
    'linear-delivery': 'a-delivery',
  }),
  vercel: (body, secret) => ({ 'x-vercel-signature': hmac('sha1', secret, body).digest('hex') }),
  slack: (body, secret, at) => ({
    'x-slack-request-timestamp': String(at),
    'x-slack-signature': `v0=${hmac('sha256', secret, `v0:${at}:${body}`).digest('hex')}`,
  }),
}

function callOf(scheme: Scheme, { said = 'hello', secret = secretOf(scheme), at = NOW } = {}): ConnectorCall {
  const body = bodyOf(scheme, said, at)
  return { method: 'POST', path: 'p', query: {}, body, headers: SIGNED[scheme](body, secret, at) }
}
const other = (scheme: Scheme): string =>
  scheme === 'standard_webhooks' ? `whsec_${Buffer.from('another key').toString('base64')}` : 'another'

describe.each(SCHEMES)('%s', (scheme) => {
  test('takes what its source signed', () => {
    expect(isGenuine(scheme, callOf(scheme), secretOf(scheme), NOW)).toBe(true)
  })

  test('refuses another secret, no signature, and a body that is no text', () => {
    const call = callOf(scheme)
    expect(isGenuine(scheme, callOf(scheme, { secret: other(scheme) }), secretOf(scheme), NOW)).toBe(false)
    expect(isGenuine(scheme, { ...call, headers: {} }, secretOf(scheme), NOW)).toBe(false)
    expect(isGenuine(scheme, { ...call, body: null }, secretOf(scheme), NOW)).toBe(false)
  })

  test('refuses a body or signature of which one character is another', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.boolean(), (said, place, ofBody) => {
        const call = callOf(scheme, { said })
        const change = (text: string) => {
          const at = place % text.length
          const instead = text[at] === 'a' ? 'b' : 'a'
          return `${text.slice(0, at)}${instead}${text.slice(at + 1)}`
        }
        const headers = Object.fromEntries(
          Object.entries(call.headers).map(([name, value]) =>
            name.includes('signature') ? [name, change(value)] : [name, value],
          ),
        )
        const changed = ofBody ? { ...call, body: change(call.body ?? '') } : { ...call, headers }
        expect(isGenuine(scheme, changed, secretOf(scheme), NOW)).toBe(false)
      }),
    )
  })
})

describe.each(['standard_webhooks', 'slack', 'linear'] as const)('%s signs a time', (scheme) => {
  test('and is refused more than five minutes from it', () => {
    const genuine = (at: number) => isGenuine(scheme, callOf(scheme, { at }), secretOf(scheme), NOW)
    expect([genuine(NOW - 300), genuine(NOW + 300)]).toEqual([true, true])
    expect([genuine(NOW - 301), genuine(NOW + 301), genuine(0)]).toEqual([false, false, false])
  })
})

test('the signatures that GitHub and Slack give as examples are taken', () => {
  // docs.github.com, "Validating webhook deliveries"; api.slack.com, "Verifying requests from Slack".
  const github = {
    method: 'POST',
    path: '',
    query: {},
    body: 'Hello, World!',
    headers: {
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    },
  } as const
  expect(isGenuine('github', github, "It's a Secret to Everybody", NOW)).toBe(true)
  const slack = {
    method: 'POST',
    path: '',
    query: {},
    body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
  } as const
  expect(isGenuine('slack', slack, '8f742231b10e8888abcd99yyyzzz85a5', 1_531_420_618)).toBe(true)
})

test('a delivery is known by what its source signs: another id beside the same body is the same delivery', () => {
  const github = callOf('github')
  const forged = { ...github, headers: { ...github.headers, 'x-github-delivery': 'another' } }
  const common = deliveryKeys('github', github, {}).filter((key) =>
    deliveryKeys('github', forged, {}).includes(key),
  )
  expect(common).toEqual([expect.stringMatching(/^body:/)])
  expect(deliveryKeys('slack', callOf('slack'), { event_id: 'Ev1' })).toEqual(['Ev1'])
  expect(deliveryKeys('standard_webhooks', callOf('standard_webhooks'), {})).toEqual(['msg_1'])
  expect(deliveryKeys('meta', callOf('meta'), {})).toEqual([expect.stringMatching(/^body:/)])
})
