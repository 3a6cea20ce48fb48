import { expect, test } from 'vitest'
import { startTestGateway } from '../../testing/start-test-gateway.ts'

test('whoever has no key of use shuts the door for themselves, and for no directory at the same address', async () => {
  await using door = await startTestGateway({
    receiveScim: async () => ({ status: 200, headers: {}, body: {} }),
  })
  const ask = async (key: string): Promise<number> => {
    const { statusCode } = await door.gateway.app.inject({
      url: '/scim/v2/Users',
      headers: { authorization: `Bearer ${key}` },
    })
    return statusCode
  }
  /** What it gets at last, whatever windows pass meanwhile. */
  const untilRefused = async (key: string): Promise<number> => {
    for (let n = 0; n < 20_000; n += 1) if ((await ask(key)) === 429) return 429
    return 0
  }
  expect([await ask('nobody'), await untilRefused('nobody')]).toEqual([401, 429])
  expect([await ask('tutti_admin_a'), await untilRefused('tutti_admin_a')]).toEqual([200, 429])
  expect(await ask('tutti_admin_b')).toBe(200)
}, 120_000)
