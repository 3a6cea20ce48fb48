import type { Actor } from '@tutti/schema'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Credential } from './credential.ts'
import { watchCredentials } from './watch-credentials.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const keys = Array.from({ length: 20 }, (_, index): Credential => ({ kind: 'api_key', secret: `k${index}` }))
const nameOf = (credential: Credential): string => ('secret' in credential ? credential.secret : '')
const actor: Actor = {
  organizationId: '01990000-0000-7000-8000-000000000001',
  id: 'ada',
  kind: 'person',
  name: 'Ada',
  roles: [],
  scopes: [],
}

test('an answer that is slow keeps no other from coming, nor is anybody asked about twice at once', async () => {
  const asked: string[] = []
  const ended: string[] = []
  let underWay = 0
  let most = 0
  const slow = Promise.withResolvers<null>()
  const watch = watchCredentials(async (credential) => {
    const name = nameOf(credential)
    asked.push(name)
    underWay += 1
    most = Math.max(most, underWay)
    await (name === 'k0' ? slow.promise : Promise.resolve())
    underWay -= 1
    if (name === 'k1') throw new Error('governance is away')
    return name === 'k2' ? actor : null
  }, 1_000)
  for (const credential of keys)
    watch.watch(credential, actor, (reason) => ended.push(`${nameOf(credential)} ${reason}`))

  await vi.advanceTimersByTimeAsync(3_000)
  const others = keys.map(nameOf).filter((name) => !['k0', 'k1', 'k2'].includes(name))
  expect(ended.toSorted()).toEqual(others.map((name) => `${name} revoked`).toSorted())
  expect(asked.toSorted()).toEqual(keys.map(nameOf).toSorted())
  expect(most).toBeLessThanOrEqual(8)

  slow.resolve(null)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ended).toContain('k0 revoked')
  expect(asked.slice(keys.length).toSorted()).toEqual(['k1', 'k2'])
  watch.stop()
})
