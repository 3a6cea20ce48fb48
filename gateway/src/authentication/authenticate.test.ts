import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { testActor } from '../../testing/start-test-gateway.ts'
import { createAuthenticate, type Identify } from './authenticate.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const credential = { kind: 'api_key', secret: 'tutti_x' } as const

test('what ends before the answer is a second old is asked for anew at that moment', async () => {
  const begun = Date.now()
  const identify = vi
    .fn<Identify>()
    .mockResolvedValueOnce({ ...testActor('admin'), validUntil: begun + 300 })
    .mockResolvedValue(testActor('viewer'))
  const authenticate = createAuthenticate({ identify })
  expect((await authenticate(credential))?.roles).toEqual(['admin'])
  vi.setSystemTime(begun + 299)
  expect((await authenticate(credential))?.roles).toEqual(['admin'])
  expect(identify).toHaveBeenCalledTimes(1)
  vi.setSystemTime(begun + 300)
  expect((await authenticate(credential))?.roles).toEqual(['viewer'])
  expect((await authenticate(credential))?.roles).toEqual(['viewer'])
  expect(identify).toHaveBeenCalledTimes(2)
})

test('a credential that is over opens nothing, whatever was answered a moment ago', async () => {
  const begun = Date.now()
  const identify = vi.fn<Identify>().mockResolvedValue({ ...testActor('admin'), expiresAt: begun + 300 })
  const authenticate = createAuthenticate({ identify })
  expect(await authenticate(credential)).not.toBeNull()
  vi.setSystemTime(begun + 300)
  expect(await authenticate(credential)).toBeNull()
})
