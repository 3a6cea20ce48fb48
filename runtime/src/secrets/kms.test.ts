import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKms, isMasterKey } from './kms.ts'
import { seal, unseal } from './seal.ts'

const bytes = (least: number, most: number) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((array) => Buffer.from(array))
const key = bytes(32, 32)
const place = fc.array(fc.string(), { minLength: 1, maxLength: 3 })

test('what was sealed opens with its key, for what it belongs to', () => {
  fc.assert(
    fc.property(key, bytes(0, 200), place, (secret, plain, belongsTo) => {
      const sealed = seal(secret, plain, belongsTo)
      expect(unseal(secret, sealed, belongsTo)).toEqual(plain)
    }),
  )
})

test('it opens for nothing else: another place, another key, a changed byte', () => {
  fc.assert(
    fc.property(key, key, bytes(1, 50), place, place, fc.nat(), (secret, other, plain, here, there, at) => {
      fc.pre(!secret.equals(other) && JSON.stringify(here) !== JSON.stringify(there))
      const sealed = seal(secret, plain, here)
      expect(() => unseal(secret, sealed, there)).toThrow('does not open')
      expect(() => unseal(other, sealed, here)).toThrow('does not open')
      const ciphertext = Buffer.from(sealed.ciphertext)
      const index = at % ciphertext.length
      ciphertext[index] = (ciphertext[index] ?? 0) ^ 1
      expect(() => unseal(secret, { ...sealed, ciphertext }, here)).toThrow('does not open')
      expect(() => unseal(secret, { ...sealed, ciphertext: ciphertext.subarray(0, 5) }, here)).toThrow(
        'does not open',
      )
    }),
  )
})

test('parts of a place do not run into each other', () => {
  const secret = randomBytes(32)
  const sealed = seal(secret, Buffer.from('x'), ['ab', 'c'])
  expect(() => unseal(secret, sealed, ['a', 'bc'])).toThrow('does not open')
})

const SECRET = 'a secret of at least thirty-two bytes'
const master = () => randomBytes(32).toString('base64')

test('a data key is opened by the master key that wrapped it, for its tenant only', async () => {
  const kms = createKms({ secret: SECRET, masterKey: master() })
  const dataKey = randomBytes(32)
  const wrapped = await kms.wrap(dataKey, ['tenant'])
  expect(wrapped.masterKey).toBe(kms.current)
  expect(wrapped.wrapped.includes(dataKey)).toBe(false)
  expect(await kms.unwrap(wrapped, ['tenant'])).toEqual(dataKey)
  await expect(kms.unwrap(wrapped, ['other'])).rejects.toMatchObject({ code: 'SEAL_BROKEN' })
  await expect(createKms({ secret: SECRET }).unwrap(wrapped, ['tenant'])).rejects.toMatchObject({
    code: 'MASTER_KEY_MISSING',
  })
})

test('the previous master key opens and wraps nothing new; so does the one derived from the secret', async () => {
  const [old, young] = [master(), master()]
  const dataKey = randomBytes(32)
  const byOld = await createKms({ secret: SECRET, masterKey: old }).wrap(dataKey, ['t'])
  const derived = await createKms({ secret: SECRET }).wrap(dataKey, ['t'])
  const kms = createKms({ secret: SECRET, masterKey: young, previous: old })
  expect(await kms.unwrap(byOld, ['t'])).toEqual(dataKey)
  expect(await kms.unwrap(derived, ['t'])).toEqual(dataKey)
  const { masterKey } = await kms.wrap(dataKey, ['t'])
  expect([byOld.masterKey, derived.masterKey]).not.toContain(masterKey)
})

test('a master key is 32 bytes as base64', () => {
  expect(isMasterKey(master())).toBe(true)
  for (const text of ['', 'short', randomBytes(31).toString('base64'), randomBytes(33).toString('base64')])
    expect(isMasterKey(text)).toBe(false)
})
