import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'
import { expect, test } from 'vitest'

import { createVerifyJwt } from './verify-jwt.ts'

const expected = { issuer: 'https://issuer.test', audience: 'tutti' }
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicKey = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()

const sign = (claims: Record<string, unknown> = {}) =>
  new SignJWT({ sub: 'eva', iss: expected.issuer, aud: expected.audience, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setExpirationTime('1h')
    .sign(rsa.privateKey)

test('a token signed by the key is believed', async () => {
  const verify = createVerifyJwt({ ...expected, keys: { publicKey } })
  expect(await verify(await sign())).toMatchObject({ sub: 'eva' })
})

test('the public key used as an HMAC secret is refused', async () => {
  const verify = createVerifyJwt({ ...expected, keys: { publicKey } })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: 'eva', iss: expected.issuer, aud: expected.audience, exp: Date.now() / 1_000 + 3_600 }
  const body = `${part({ alg: 'HS256' })}.${part(claims)}`
  const forged = `${body}.${createHmac('sha256', publicKey).update(body).digest('base64url')}`
  expect(await verify(forged)).toBeNull()
})

test('a token without an end or without a subject is refused', async () => {
  const verify = createVerifyJwt({ ...expected, keys: { publicKey } })
  const endless = await new SignJWT({ sub: 'eva', iss: expected.issuer, aud: expected.audience })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(rsa.privateKey)
  expect(await verify(endless)).toBeNull()
  expect(await verify(await sign({ sub: undefined }))).toBeNull()
})

test('keys come from a JWKS address; when it cannot be reached, that is not the caller’s fault', async () => {
  const jwk = { ...(await exportJWK(rsa.publicKey)), kid: 'one', alg: 'RS256' }
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const verify = createVerifyJwt({ ...expected, keys: { jwksUrl } })
  expect(await verify(await sign())).toMatchObject({ sub: 'eva' })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  const cold = createVerifyJwt({ ...expected, keys: { jwksUrl } })
  await expect(cold(await sign())).rejects.toBeInstanceOf(Error)
})
