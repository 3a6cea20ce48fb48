import { expect, test } from 'vitest'
import { startTestGateway } from '../../testing/start-test-gateway.ts'

const PEM = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n'

test('anybody gets the key of the record, without a credential, and whoever asks often asks nobody behind', async () => {
  let asked = 0
  await using door = await startTestGateway({
    auditKey: async () => {
      asked += 1
      if (asked === 1) throw new Error('no database')
      return PEM
    },
  })
  const get = () => fetch(`${door.url}/.well-known/tutti-audit-key`)
  expect((await get()).status).toBe(503)
  for (let n = 0; n < 3; n += 1) {
    const answer = await get()
    expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([
      200,
      'public, max-age=3600',
      PEM,
    ])
  }
  expect(asked).toBe(2)
})

test('before the first checkpoint there is none', async () => {
  await using door = await startTestGateway({ auditKey: async () => null })
  const answer = await fetch(`${door.url}/.well-known/tutti-audit-key`)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-store'])
})
