import { fastify, type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LoginQuestion } from './ask-login.ts'
import { loginRoutes } from './login-routes.ts'
import { sessionOf } from './session-cookie.ts'

const ORGANIZATION = '01990000-0000-7000-8000-00000000000a'

let app: FastifyInstance
let close: () => Promise<void>
let asked: LoginQuestion[]

beforeEach(() => {
  asked = []
  app = fastify()
  const ask = async (question: LoginQuestion) => {
    asked.push(question)
    return { provider: null }
  }
  close = loginRoutes(app, { ask, secret: 'a secret of thirty-two characters' }, async () => true, {
    error: () => undefined,
  })
})
afterEach(async () => {
  await close()
  await app.close()
})

const codeOf = async (url: string, remoteAddress: string): Promise<unknown> => {
  const { statusCode, headers } = await app.inject({ url, remoteAddress })
  return [statusCode, headers['retry-after'] === undefined]
}

test('one address begins so many logins in a minute, and so many come back to it; another has its own', async () => {
  for (const [url, first] of [
    [`/auth/login?organization=${ORGANIZATION}`, 404],
    ['/auth/callback/x?code=y', 401],
  ] as const) {
    for (let count = 0; count < 120; count += 1) expect(await codeOf(url, '192.0.2.1')).toEqual([first, true])
    expect(await codeOf(url, '192.0.2.1')).toEqual([429, false])
    expect(await codeOf(url, '192.0.2.2')).toEqual([first, true])
  }
  expect(asked).toHaveLength(121)
})

test('over https a session is in a cookie that no sibling host can set, and none other is looked at', () => {
  const headers = { cookie: 'tutti_session=planted; __Host-tutti_session=ours; tutti_session=again' }
  expect(sessionOf(headers, 'https://tutti.example.com')).toEqual({ kind: 'session', secret: 'ours' })
  expect(sessionOf({ cookie: 'tutti_session=planted' }, 'https://tutti.example.com')).toBeNull()
  expect(sessionOf({ cookie: 'tutti_session=ours' }, undefined)).toEqual({ kind: 'session', secret: 'ours' })
})
