import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'

import { startHttpAgent } from './http-agent.ts'

const SECRET = `whsec_${Buffer.from('a secret of this agent alone').toString('base64')}`
const BODY = JSON.stringify({ input: { customer_message: 'Thank you!' } })

function signed(secret: string, at: Date, body = BODY): Record<string, string> {
  const signature = new Webhook(secret).sign('key-1', at, body)
  const seconds = Math.floor(at.getTime() / 1000)
  return { 'webhook-id': 'key-1', 'webhook-timestamp': String(seconds), 'webhook-signature': signature }
}

test('a call with a good signature is answered; others are not', async () => {
  await using agent = await startHttpAgent(SECRET)
  const call = (headers: Record<string, string>) =>
    fetch(`${agent.origin}/judge`, { method: 'POST', headers, body: BODY })
  const good = await call(signed(SECRET, new Date()))
  expect(await good.json()).toMatchObject({ output: { label: 'positive' }, costUsd: 0.0004 })
  const refused = await Promise.all([
    call({}),
    call(signed(`whsec_${Buffer.from('a secret of another agent').toString('base64')}`, new Date())),
    call(signed(SECRET, new Date(), '{}')),
    call(signed(SECRET, new Date(Date.now() - 3_600_000))),
  ])
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401])
})
