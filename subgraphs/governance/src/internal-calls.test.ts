import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import {
  createKms,
  bindSubgraph,
  CALL_HEADER,
  createLifecycle,
  createLog,
  serveSubgraph,
  signCall,
} from '@tutti/runtime'
import { openTail, type Tail } from '@tutti/prisma'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSealer } from './chain/open-sealer.ts'
import { bootstrapDevelopment } from './access/bootstrap-development.ts'
import { governance } from './index.ts'
import { internalCalls } from './internal-calls.ts'

let world: TestDatabase
let tail: Tail
let app: ReturnType<typeof serveSubgraph>
let secret = ''

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  app = serveSubgraph({
    subgraph: bindSubgraph(governance, { database: world.database, tail, log, kms: createKms(world) }, log),
    secret: world.secret,
    lifecycle: createLifecycle(log),
    internal: internalCalls(world),
  })
  secret = (await bootstrapDevelopment(world)).keys?.admin ?? ''
})
afterAll(async () => {
  await app.close()
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const identifyOver = (signature: (body: string) => string | undefined) => {
  const payload = JSON.stringify({ kind: 'api_key', secret })
  const signed = signature(payload)
  return app.inject({
    method: 'POST',
    url: '/internal/identify',
    headers: { 'content-type': 'application/json', ...(signed ? { [CALL_HEADER]: signed } : {}) },
    payload,
  })
}

test('the gateway in another process asks over HTTP who bears a key', async () => {
  const answer = await identifyOver((body) => signCall(world.secret, null, body))
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toMatchObject({ answer: { name: 'Development administrator', roles: ['admin'] } })
})

test.each([
  ['no signature', () => undefined],
  ['the signature of another body', () => signCall(world.secret, null, '{}')],
  ['a signature with another secret', (body: string) => signCall('x'.repeat(48), null, body)],
])('with %s nobody learns anything', async (_, signature) => {
  const answer = await identifyOver(signature)
  expect(answer.statusCode).toBe(401)
  expect(answer.body).not.toContain('admin')
})

test('the gateway in another process asks for the key of the record, which is there with the first checkpoint', async () => {
  const ask = async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/internal/audit-key',
      headers: { 'content-type': 'application/json', [CALL_HEADER]: signCall(world.secret, null, '{}') },
      payload: '{}',
    })
    return answer.json()
  }
  expect(await ask()).toEqual({ answer: null })
  await openSealer({ database: world.database, kms: createKms(world) }).checkpoint()
  expect(await ask()).toEqual({ answer: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----/) })
})

test('the gateway in another process reports a refusal, signed; it is in the audit trail', async () => {
  const actor = testActor('viewer')
  const of = (denial: object) => JSON.stringify({ actor, denial: { action: 'Mutation.startRun', ...denial } })
  const payload = of({ reason: 'startRun' })
  const send = (signed: string, payload: string) =>
    app.inject({
      method: 'POST',
      url: '/internal/denial',
      headers: { 'content-type': 'application/json', [CALL_HEADER]: signed },
      payload,
    })
  const entries = () =>
    world.database.readTenant(
      actor,
      'select action_type, subject, outcome from audit_entry where organization_id = $1 order by id',
      [actor.organizationId],
    )
  expect((await send(signCall('x'.repeat(48), null, payload), payload)).statusCode).toBe(401)
  expect(await entries()).toEqual([])
  const many = of({
    sum: {
      since: new Date().toISOString(),
      refusals: [
        { action: 'Mutation.startRun', code: 'FORBIDDEN', count: 40 },
        { action: 'Query.runs', code: 'FORBIDDEN', count: 2 },
      ],
    },
  })
  for (const each of [payload, many])
    expect((await send(signCall(world.secret, null, each), each)).statusCode).toBe(200)
  const entry = { action_type: 'denial', subject: 'operation/Mutation.startRun', outcome: 'FORBIDDEN' }
  expect(await entries()).toEqual([entry, entry])
})
