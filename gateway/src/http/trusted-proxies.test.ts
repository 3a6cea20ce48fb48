import { expect, test } from 'vitest'
import { startTestGateway } from '../../testing/start-test-gateway.ts'
import { readGatewayEnv } from '../environment.ts'
import { trustedProxies } from './trusted-proxies.ts'

test('whom a proxy names is who calls, if the proxy is trusted, and nobody names themselves', async () => {
  await using door = await startTestGateway({
    trustedProxies: trustedProxies.parse('10.0.0.0/8, 2001:db8::7'),
    receiveDecision: async () => ({ status: 200, headers: {}, body: '' }),
  })
  const visit = async (remoteAddress: string, forwarded: string): Promise<number> => {
    const { statusCode } = await door.gateway.app.inject({
      url: '/decide/token',
      remoteAddress,
      headers: { 'x-forwarded-for': forwarded },
    })
    return statusCode
  }
  /** Whether it is refused at last, whatever windows pass meanwhile. */
  const isCounted = async (remoteAddress: string, forwarded: (n: number) => string): Promise<boolean> => {
    for (let n = 0; n < 2_000; n += 1) if ((await visit(remoteAddress, forwarded(n))) === 429) return true
    return false
  }
  expect(await isCounted('10.1.2.3', () => '192.0.2.1')).toBe(true)
  expect(await visit('10.1.2.3', '192.0.2.2')).toBe(200)
  expect(await visit('2001:db8::7', '192.0.2.3')).toBe(200)
  // Before what the proxy saw stands what was sent to it, which anybody may write.
  expect(await isCounted('10.1.2.3', (n) => `198.51.100.${n % 256}, 192.0.2.4`)).toBe(true)
  expect(await isCounted('192.0.2.5', (n) => `198.51.100.${n % 256}`)).toBe(true)
}, 120_000)

test('what is no address and no network is a mistake of the environment', () => {
  const mistake = 'must be addresses or networks, as 10.0.0.0/8,192.0.2.7'
  for (const wrong of [
    'loopback',
    '10.0.0.0/33',
    '::/0',
    '0.0.0.0/0',
    '10.1',
    '10.0.0.1,',
    '10.0.0.0/8/8',
    '1',
  ])
    expect(() => readGatewayEnv({ TUTTI_TRUSTED_PROXIES: wrong })).toThrow(
      `TUTTI_TRUSTED_PROXIES: ${mistake}`,
    )
  expect(() => readGatewayEnv({ TUTTI_TRUSTED_PROXIES: '' })).not.toThrow('TUTTI_TRUSTED_PROXIES')
})
