import { expect, test } from 'vitest'
import { startTestGateway } from '../../testing/start-test-gateway.ts'
import type { DecisionCall } from './decide-route.ts'

/** A gateway whose links are answered with a page; what was asked is in `calls`. */
async function door(fails = false) {
  const calls: DecisionCall[] = []
  const gateway = await startTestGateway({
    receiveDecision: async (call) => {
      calls.push(call)
      if (fails) throw new Error(`nobody answers about ${call.token}`)
      return {
        status: 200,
        headers: { 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY' },
        body: '<p>',
      }
    },
  })
  return { calls, url: gateway.url, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

test('a visit and a form come as they were made, without a credential, and the page goes out as it is', async () => {
  await using links = await door()
  const page = await fetch(`${links.url}/decide/token-1`)
  expect([page.status, page.headers.get('x-frame-options'), await page.text()]).toEqual([200, 'DENY', '<p>'])
  await fetch(`${links.url}/decide/token-1`, {
    method: 'POST',
    body: new URLSearchParams({ comment: 'ä b' }),
  })
  expect(links.calls).toEqual([
    { method: 'GET', token: 'token-1', body: '' },
    { method: 'POST', token: 'token-1', body: 'comment=%C3%A4+b' },
  ])
  expect((await fetch(`${links.url}/decide/token-1`, { method: 'HEAD' })).status).toBe(404)
  expect(links.calls).toHaveLength(2)
})

test('when nobody answers, nothing of the link is in what is said', async () => {
  await using links = await door(true)
  const answer = await fetch(`${links.url}/decide/token-2`)
  expect(answer.status).toBe(503)
  expect(await answer.text()).not.toContain('token-2')
})

test('one address may not try token after token', async () => {
  await using links = await door()
  const visit = async (): Promise<Response> => fetch(`${links.url}/decide/token`)
  // Within any window of a minute more than it allows; under load one window may pass meanwhile.
  let refused: Response | undefined
  for (let n = 0; n < 2_000 && refused === undefined; n += 1) {
    const answer = await visit()
    await answer.text()
    if (answer.status === 429) refused = answer
  }
  expect(refused?.status).toBe(429)
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(links.calls.length).toBeGreaterThanOrEqual(120)
})
