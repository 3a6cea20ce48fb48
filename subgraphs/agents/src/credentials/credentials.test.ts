import { randomBytes, randomUUID } from 'node:crypto'
import { type Database, openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog, type Kms, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerAgent } from '../agents/register-agent.ts'
import { agents } from '../index.ts'
import { sealValue } from './credential-value.ts'
import { openDataKey } from './data-key.ts'
import { revealCredential } from './reveal-credential.ts'
import { rotateDataKey } from './rotate-data-key.ts'
import { setCredential } from './set-credential.ts'

let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let kms: Kms
let admin: Actor
const masterKey = randomBytes(32).toString('base64')

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  kms = createKms({ secret: world.secret, masterKey })
  const log = createLog('test', 'silent')
  subgraph = bindSubgraph(agents, { ...world, tail, log, kms }, log)
})
beforeEach(async () => {
  admin = await world.organization('admin')
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** SQL in a tenant's own transaction: its tables may be written by the role that holds them. */
const sql = (text: string, parameters: unknown[] = [], actor = admin) =>
  world.database.transact(actor, (client) => client.query(text, parameters))
const services = () => ({ database: world.database, kms })
const SHOWN = 'id name kind provider origins lastFour rotatedAt lastUsedAt agent { name }'

async function ask(query: string, input: object, actor = admin) {
  const { data, errors } = await subgraph.execute({ query, variables: { input }, actor })
  return {
    data: JSON.parse(JSON.stringify(data ?? null)),
    errors: errors?.map(({ message, extensions }) => ({ message, ...extensions })),
  }
}
const set = (input: object, actor = admin) =>
  ask(
    `mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { ${SHOWN} } } }`,
    input,
    actor,
  )
const rotate = (input: object) =>
  ask(
    `mutation($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { ${SHOWN} } } }`,
    input,
  )
const remove = (id: string) =>
  ask('mutation($input: DeleteCredentialInput!) { deleteCredential(input: $input) { id } }', { id })
const rotateKey = () =>
  ask('mutation($input: RotateDataKeyInput!) { rotateDataKey(input: $input) { version reencrypted } }', {
    reason: 'yearly',
  })
const valueOf = async (name: string, actor = admin) =>
  (await revealCredential(services(), actor, name))?.value
const LONG = 'a-long-value-of-thirty-characters'

test('a value is stored encrypted, used by name, and never shown', async () => {
  const { agent } = await registerAgent({ database: world.database }, admin, {
    document: 'metadata: {name: caller, type: a.b, version: "1"}',
  })
  const { data } = await set({
    name: 'crm/token',
    value: LONG,
    kind: 'TOKEN',
    agentId: agent.id,
    origins: ['https://crm.example.com'],
  })
  expect(data.setCredential.credential).toMatchObject({
    name: 'crm/token',
    kind: 'TOKEN',
    agent: { name: 'caller' },
    origins: ['https://crm.example.com'],
    lastFour: 'ters',
    lastUsedAt: null,
  })
  expect(await valueOf('crm/token')).toBe(LONG)
  const { rows } = await sql(
    'select c::text || k::text as row from credential c join data_key k using (organization_id)',
  )
  expect(JSON.stringify(rows)).not.toContain(LONG)
  expect(JSON.stringify(rows)).not.toContain(Buffer.from(LONG).toString('hex'))
  const listed = await subgraph.execute({
    query: `{ credentials { nodes { ${SHOWN} } } }`,
    variables: {},
    actor: admin,
  })
  expect(JSON.stringify(listed)).not.toContain(LONG)
  expect(JSON.parse(JSON.stringify(listed.data))).toMatchObject({
    credentials: { nodes: [{ name: 'crm/token', lastUsedAt: expect.any(String) }] },
  })
})

test('of a short value not even its end is shown', async () => {
  const { data } = await set({ name: 'short', value: 'nineteen-characters' })
  expect(data.setCredential.credential.lastFour).toBeNull()
})

test('a rotated value replaces the old one, a deleted one is gone', async () => {
  const { data } = await set({ name: 'a', value: LONG })
  const { id } = data.setCredential.credential
  const rotated = await rotate({ id, value: 'another-value-altogether' })
  expect(rotated.data.rotateCredential.credential).toMatchObject({
    id,
    lastFour: 'ther',
    rotatedAt: expect.any(String),
  })
  expect(await valueOf('a')).toBe('another-value-altogether')
  expect((await remove(id)).data).toEqual({ deleteCredential: { id } })
  expect(await valueOf('a')).toBeUndefined()
  expect((await remove(id)).errors).toMatchObject([{ code: 'NOT_FOUND', argument: 'input.id' }])
  expect((await rotate({ id: randomUUID(), value: LONG })).errors).toMatchObject([{ code: 'NOT_FOUND' }])
})

test('the log says what was done and by whom, without any value', async () => {
  const { data } = await set({ name: 'a', value: LONG })
  const { id } = data.setCredential.credential
  await rotate({ id, value: `${LONG}-2` })
  await rotateKey()
  await remove(id)
  const { rows } = await sql(
    'select type, data, actor from log.event where organization_id = $1 order by seq',
    [admin.organizationId],
  )
  expect(rows.map(({ type, data: said }) => [type, said])).toEqual([
    ['credential.set', { credentialId: id, name: 'a' }],
    ['credential.rotated', { credentialId: id, name: 'a' }],
    ['data_key.rotated', { version: 2, reencrypted: 1, reason: 'yearly' }],
    ['credential.deleted', { credentialId: id, name: 'a' }],
  ])
  expect(JSON.stringify(rows)).not.toContain(LONG)
})

test('all mistakes are told at once, and none repeats the value', async () => {
  const value = 'a value\nof two lines'
  const { errors } = await set({
    name: 'ä',
    value,
    agentId: 'x',
    provider: 'openai',
    origins: ['https://x.example/path'],
  })
  expect(errors?.[0]).toMatchObject({ code: 'BAD_INPUT' })
  const problems: { path: string }[] = Object(errors?.[0])['problems']
  expect(problems.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['input.name', 'input.value', 'input.origins.0']),
  )
  expect(JSON.stringify(errors)).not.toContain('two lines')
  expect((await set({ name: 'x', value: 'short' })).errors?.[0]).toMatchObject({ argument: 'input.value' })
  expect((await set({ name: 'x', value: LONG, provider: 'openai' })).errors?.[0]).toMatchObject({
    argument: 'input.name',
  })
  expect((await set({ name: 'x', value: LONG, agentId: randomUUID() })).errors?.[0]).toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('a name is given once an organization', async () => {
  await set({ name: 'a', value: LONG })
  expect((await set({ name: 'a', value: `${LONG}-2` })).errors).toMatchObject([
    { code: 'CONFLICT', argument: 'input.name' },
  ])
  expect(await valueOf('a')).toBe(LONG)
  const stranger = await world.organization('admin')
  expect((await set({ name: 'a', value: `${LONG}-3` }, stranger)).errors).toBeUndefined()
  expect(await valueOf('a', stranger)).toBe(`${LONG}-3`)
})

test('many at once make one data key and lose nothing', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `n${index}`)
  await Promise.all(names.map((name) => setCredential(services(), admin, { name, value: `${LONG}-${name}` })))
  expect(await Promise.all(names.map((name) => valueOf(name)))).toEqual(
    names.map((name) => `${LONG}-${name}`),
  )
  expect(await keysOf(admin)).toEqual([1])
})

const keysOf = async ({ organizationId }: Actor): Promise<number[]> => {
  const { rows } = await sql('select version from data_key where organization_id = $1 order by 1', [
    organizationId,
  ])
  return rows.map(({ version }) => version)
}

test('a ciphertext that is moved to another row, name or tenant does not open', async () => {
  const other = await world.organization('admin')
  for (const actor of [admin, other]) {
    await setCredential(services(), actor, { name: 'mine', value: `${LONG}-mine` })
    await setCredential(services(), actor, { name: 'yours', value: `${LONG}-yours` })
  }
  const { organizationId } = admin
  const broken = { code: 'SEAL_BROKEN' }
  // Another row of the tenant.
  await sql(
    `update credential c set nonce = o.nonce, ciphertext = o.ciphertext from credential o
     where c.organization_id = $1 and o.organization_id = $1 and c.name = 'yours' and o.name = 'mine'`,
    [organizationId],
  )
  await expect(valueOf('yours')).rejects.toMatchObject(broken)
  expect(await valueOf('mine')).toBe(`${LONG}-mine`)
  // Another name of the same row.
  await sql(`update credential set name = 'renamed' where organization_id = $1 and name = 'mine'`, [
    organizationId,
  ])
  await expect(valueOf('renamed')).rejects.toMatchObject(broken)
  // Another tenant's data key and row, taken over whole.
  const { rows } = await sql('select wrapped from data_key where organization_id = $1', [organizationId])
  await sql(
    'update data_key set wrapped = $2 where organization_id = $1',
    [other.organizationId, rows[0]?.wrapped],
    other,
  )
  await expect(valueOf('mine', other)).rejects.toMatchObject(broken)
})

test('the data key is rotated with all values, and the old key is gone', async () => {
  await set({ name: 'a', value: `${LONG}-a` })
  await set({ name: 'b', value: `${LONG}-b` })
  expect((await rotateKey()).data).toEqual({ rotateDataKey: { version: 2, reencrypted: 2 } })
  expect(await keysOf(admin)).toEqual([2])
  expect([await valueOf('a'), await valueOf('b')]).toEqual([`${LONG}-a`, `${LONG}-b`])
})

test('without a data key there is none to rotate', async () => {
  expect((await rotateKey()).errors).toMatchObject([{ code: 'NOT_FOUND' }])
})

test('more values than are encrypted at once are all encrypted anew', async () => {
  await set({ name: 'n0', value: LONG })
  const { rows } = await sql(
    `select o.id, c.data_key_id from credential c, lateral (select uuidv7() as id from generate_series(1, 1100)) o where c.organization_id = $1`,
    [admin.organizationId],
  )
  const { rows: stored } = await sql(
    'select id, version, master_key as "masterKey", wrapped from data_key where organization_id = $1',
    [admin.organizationId],
  )
  const { key } = await openDataKey(kms, admin.organizationId, stored[0])
  const many = rows.map(({ id, data_key_id: keyId }, index) => {
    const place = { organizationId: admin.organizationId, id, name: `m${index}` }
    const { nonce, ciphertext } = sealValue(key, `${LONG}-${index}`, place)
    return { ...place, keyId, nonce: nonce.toString('hex'), ciphertext: ciphertext.toString('hex') }
  })
  await sql(
    `insert into credential (organization_id, id, name, kind, origins, data_key_id, nonce, ciphertext)
     select $1, x.id, x.name, 'OTHER', '{}', x."keyId", decode(x.nonce, 'hex'), decode(x.ciphertext, 'hex')
     from jsonb_to_recordset($2) as x(id uuid, name text, "keyId" uuid, nonce text, ciphertext text)`,
    [admin.organizationId, JSON.stringify(many)],
  )
  expect((await rotateKey()).data).toEqual({ rotateDataKey: { version: 2, reencrypted: 1_101 } })
  expect([await valueOf('n0'), await valueOf('m0'), await valueOf('m1099')]).toEqual([
    LONG,
    `${LONG}-0`,
    `${LONG}-1099`,
  ])
})

test('a rotation that is broken off in the middle changes nothing, and the next one goes through', async () => {
  for (const name of ['a', 'b', 'c']) await set({ name, value: `${LONG}-${name}` })
  // The last of them cannot be opened: by then the others have been encrypted anew.
  await sql(
    `update credential set ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1) where organization_id = $1 and name = 'c'`,
    [admin.organizationId],
  )
  await expect(rotateDataKey(services(), admin)).rejects.toMatchObject({ code: 'SEAL_BROKEN' })
  expect(await keysOf(admin)).toEqual([1])
  expect([await valueOf('a'), await valueOf('b')]).toEqual([`${LONG}-a`, `${LONG}-b`])
  // Nor does one whose process dies when all is written but not committed.
  await sql(
    `update credential set ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1) where organization_id = $1 and name = 'c'`,
    [admin.organizationId],
  )
  const database: Database = {
    ...world.database,
    inTenant: (actor, work) =>
      world.database.inTenant(actor, async (tx) => {
        await work(tx)
        throw new Error('broken off')
      }),
  }
  await expect(rotateDataKey({ database, kms }, admin)).rejects.toThrow('broken off')
  expect(await keysOf(admin)).toEqual([1])
  expect(await valueOf('b')).toBe(`${LONG}-b`)
  expect(await rotateDataKey(services(), admin)).toEqual({ version: 2, reencrypted: 3 })
  expect(await valueOf('c')).toBe(`${LONG}-c`)
})

test('values set while the key is rotated open with the key that is there', async () => {
  await set({ name: 'first', value: LONG })
  const names = Array.from({ length: 6 }, (_, index) => `n${index}`)
  const results = await Promise.allSettled([
    ...names.map((name) => setCredential(services(), admin, { name, value: `${LONG}-${name}` })),
    rotateDataKey(services(), admin),
    rotateDataKey(services(), admin),
  ])
  // Two rotations may meet; one of them is then told so.
  for (const each of results)
    if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'CONFLICT' })
  const stored = names.filter((_, index) => results[index]?.status === 'fulfilled')
  expect(await Promise.all(stored.map((name) => valueOf(name)))).toEqual(
    stored.map((name) => `${LONG}-${name}`),
  )
  expect(await valueOf('first')).toBe(LONG)
  expect(await keysOf(admin)).toHaveLength(1)
})

test('the master key is rotated by rotating the data key with the old one at hand', async () => {
  await set({ name: 'a', value: LONG })
  const young = randomBytes(32).toString('base64')
  const both = createKms({ secret: world.secret, masterKey: young, previous: masterKey })
  const database = world.database
  expect((await revealCredential({ database, kms: both }, admin, 'a'))?.value).toBe(LONG)
  await rotateDataKey({ database, kms: both }, admin)
  const alone = createKms({ secret: world.secret, masterKey: young })
  expect((await revealCredential({ database, kms: alone }, admin, 'a'))?.value).toBe(LONG)
  await expect(valueOf('a')).rejects.toMatchObject({ code: 'MASTER_KEY_MISSING' })
})
