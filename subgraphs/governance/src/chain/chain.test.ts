import { createHash, verify } from 'node:crypto'
import { createKms } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { checkpointOf, type CheckpointRow } from './checkpoint.ts'
import { merklePath, merkleRoot } from './merkle.ts'
import { openSealer } from './open-sealer.ts'
import { proveEntry } from './prove-entry.ts'
import { publishCheckpoints } from './publish-checkpoints.ts'

let world: World
let admin: Actor
const kms = createKms({ secret: 'a-secret-of-the-tests-of-the-chain-of-48-characters' })

beforeEach(async () => {
  world = await openWorld()
  admin = await world.organization()
})
afterEach(() => world[Symbol.asyncDispose]())

const sealer = (settings = {}) => openSealer({ database: world.database, kms }, settings)
/** The events of the organization, as the tail gives them. */
async function log(of: Actor = admin): Promise<EventRecord[]> {
  const rows = await world.asOwner<Omit<EventRecord, 'seq'> & { position: string }>(
    `select organization_id as "organizationId", seq::text as position, id, type, subject, actor, data, time
     from log.event where organization_id = $1 order by seq`,
    [of.organizationId],
  )
  return rows.map(({ position, ...event }) => ({ ...event, seq: BigInt(position) }))
}
const entryIds: string[] = []
async function append(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const { data } = await world.ask(
      admin,
      `mutation { appendAuditEntry(input: { actionType: "decision", domain: "d", summary: "s${n}", details: {}, subject: "x/${n}" }) {
         entry { id } } }`,
    )
    entryIds.push(z.object({ entry: z.object({ id: z.string() }) }).parse(data['appendAuditEntry']).entry.id)
  }
}
const chain = async () =>
  (
    await world.ask(
      admin,
      '{ auditChain { sealedThrough lag publicKey lastCheckpoint { number lastSequence } } }',
    )
  ).data['auditChain']
const seals = () =>
  world.asOwner<{ sequence: string; event: string; hash: string }>(
    `select sequence::text, event_seq::text as event, encode(hash, 'hex') as hash from audit_seal
     where organization_id = $1 order by audit_seal.sequence`,
    [admin.organizationId],
  )

test('what is sealed twice is sealed once; of two sealers at once, one fails and goes on from where the other is', async () => {
  await append(4)
  const events = await log()
  const [a, b] = [sealer(), sealer()]
  await a.seal(events.slice(0, 2))
  await b.seal(events.slice(0, 3))
  await expect(a.seal(events.slice(1, 4))).rejects.toThrow('duplicate key')
  await a.seal(events.slice(1, 4))
  const sealed = await seals()
  expect(sealed.map(({ sequence }) => sequence)).toEqual(['1', '2', '3', '4'])
  expect(sealed.map(({ event }) => event)).toEqual(events.map(({ seq }) => String(seq)))
})

test('how far the record is sealed is shown, and how long the oldest waits', async () => {
  expect(await chain()).toMatchObject({ sealedThrough: 0, lag: 0, lastCheckpoint: null })
  await append(3)
  const first = await chain()
  expect(first?.['lag']).toBeGreaterThan(0)
  const one = sealer({ entries: 2, afterMs: 3_600_000 })
  await one.seal(await log())
  expect(await one.checkpoint()).toBe(1)
  expect(await chain()).toMatchObject({
    sealedThrough: 3,
    lag: 0,
    publicKey: expect.stringContaining('BEGIN PUBLIC KEY'),
    lastCheckpoint: { number: 1, lastSequence: 2 },
  })
  // What was left over is signed when its time comes, also by who was not there when it was sealed.
  expect(await sealer({ afterMs: 3_600_000 }).checkpoint()).toBe(0)
  expect(await sealer({ afterMs: 0 }).checkpoint()).toBe(1)
  expect(await chain()).toMatchObject({ lastCheckpoint: { number: 2, lastSequence: 3 } })
  expect((await world.ask(colleague(admin, 'agent'), '{ auditChain { lag } }')).code).toBe('FORBIDDEN')
})

test('an entry is proved by its hash, its path and a signature, and by nothing of another organization', async () => {
  await append(5)
  const id = entryIds.at(-2) ?? ''
  const events = await log()
  const one = sealer({ afterMs: 0 })
  await one.seal(events.slice(0, 2))
  await one.checkpoint()
  await one.seal(events)
  const ask = (as: Actor) =>
    world.ask(
      as,
      `{ auditProof(id: "${id}") { sequence entry previous hash index size path checkpoint { number root signature } } }`,
    )
  expect((await ask(admin)).data['auditProof']).toBeNull()
  await one.checkpoint()
  const proof = await proveEntry(world, admin, id)
  if (!proof) throw new Error('It is not proved.')
  expect((await ask(admin)).data['auditProof']).toMatchObject({
    sequence: 4,
    index: 1,
    size: 3,
    checkpoint: { number: 2 },
  })
  const { entry, previous, sequence, hash, index, size, path, checkpoint } = proof
  expect(createHash('sha256').update(`${previous}${sequence}${entry}`).digest('hex')).toBe(hash)
  expect(JSON.parse(entry)).toMatchObject({ subject: `audit/${id}`, type: 'audit.recorded' })
  expect(
    rootFrom(
      Buffer.from(hash, 'hex'),
      index,
      size,
      path.map((node) => Buffer.from(node, 'hex')),
    ).toString('hex'),
  ).toBe(checkpoint.root)
  const { signature, ...statement } = checkpointOf(checkpoint)
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(statement).sort(([a], [b]) => (a < b ? -1 : 1))),
  )
  const pem = String((await chain())?.['publicKey'])
  expect(verify(null, Buffer.from(text), pem, Buffer.from(signature, 'base64'))).toBe(true)
  expect((await ask(await world.organization())).data['auditProof']).toBeNull()
})

test('a checkpoint is written outside until that has worked, and then no more', async () => {
  await append(2)
  const one = sealer({ entries: 1 })
  await one.seal(await log())
  await one.checkpoint()
  const lines: string[] = []
  const failing = publishCheckpoints(world.database, async () => {
    throw new Error('the disk is full')
  })
  await expect(failing).rejects.toThrow('the disk is full')
  await publishCheckpoints(world.database, async (text) => void lines.push(...text.trimEnd().split('\n')))
  const mine = lines
    .map((line): CheckpointRow => JSON.parse(line))
    .filter(({ organizationId }) => organizationId === admin.organizationId)
  expect(mine.map(({ number }) => number)).toEqual([1, 2])
  expect(await publishCheckpoints(world.database, async () => undefined)).toBe(0)
})

test('the private key is nowhere in the database as it is, and opens with the master key alone', async () => {
  await append(1)
  const one = sealer({ afterMs: 0 })
  await one.seal(await log())
  await one.checkpoint()
  await append(1)
  const stranger = openSealer(
    {
      database: world.database,
      kms: createKms({ secret: 'another secret of 48 characters and not that one' }),
    },
    { afterMs: 0 },
  )
  await stranger.seal(await log())
  await expect(stranger.checkpoint()).rejects.toThrow('There is no master key')
  // What is sealed meanwhile waits for whoever has it.
  expect(await chain()).toMatchObject({ sealedThrough: 2, lastCheckpoint: { number: 1 } })
})

test('a path leads from any leaf to the root, and from no other', () => {
  const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.array(leaf, { minLength: 1, maxLength: 40 }), fc.nat(), (leaves, n) => {
      const index = n % leaves.length
      const path = merklePath(leaves, index)
      const root = merkleRoot(leaves)
      const mine = leaves[index] ?? Buffer.alloc(0)
      expect(rootFrom(mine, index, leaves.length, path)).toEqual(root)
      const other = Buffer.from(mine.map((byte) => byte ^ 1))
      expect(rootFrom(other, index, leaves.length, path)).not.toEqual(root)
    }),
  )
})

/** RFC 9162 (2.1.3.2): the root that a leaf and its path make. */
function rootFrom(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer {
  const sha = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  let [fn, sn] = [index, size - 1]
  let root = sha(Buffer.from([0]), leaf)
  for (const node of path) {
    if (fn % 2 === 1 || fn === sn) {
      root = sha(Buffer.from([1]), node, root)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1]
    } else root = sha(Buffer.from([1]), root, node)
    ;[fn, sn] = [fn >> 1, sn >> 1]
  }
  return root
}
