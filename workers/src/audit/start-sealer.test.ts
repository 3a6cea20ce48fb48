import { appendAuditEntry } from '@tutti/governance/domain'
import { openData } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createKms, createLog } from '@tutti/runtime'
import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkpointWriter } from './checkpoint-writer.ts'
import { type SealerOptions, startSealer } from './start-sealer.ts'

const PATIENCE = { timeout: 30_000, interval: 50 }
const log = createLog('test', 'silent')

let world: TestDatabase
let directory: string
const open: AsyncDisposable[] = []

beforeEach(async () => {
  world = await openTestDatabase()
  directory = mkdtempSync(join(tmpdir(), 'tutti-checkpoints-'))
})
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** A process that seals: its own pools and tail. */
async function sealing(options: SealerOptions): Promise<AsyncDisposable> {
  const data = await openData({ url: world.url, secret: world.secret })
  open.push(data)
  const sealer = startSealer({ ...data, log, kms: createKms({ secret: world.secret }) }, options)
  open.push(sealer)
  return sealer
}

async function append(count: number): Promise<string> {
  const actor = await world.organization()
  for (let n = 0; n < count; n += 1)
    await appendAuditEntry(world, actor, {
      actionType: 'decision',
      domain: 'd',
      summary: `s${n}`,
      details: {},
      subject: `x/${n}`,
    })
  return actor.organizationId
}

const sealed = async () =>
  (await world.asOwner<{ n: number }>('select count(*)::int as n from audit_seal'))[0]?.n

test('of two processes one seals; when it stops, the other goes on without a gap, and what is signed is in the file', async () => {
  const file = join(directory, 'deep', 'checkpoints.jsonl')
  const options = { checkpoints: file, entries: 4, afterMs: 0 }
  const first = await sealing(options)
  await append(10)
  await vi.waitFor(async () => expect(await sealed()).toBe(10), PATIENCE)
  await sealing(options)
  await first[Symbol.asyncDispose]()
  await append(7)
  await vi.waitFor(async () => expect(await sealed()).toBe(17), PATIENCE)
  const gaps = await world.asOwner(
    `select organization_id from audit_seal group by organization_id having count(*) <> max(sequence) or min(sequence) <> 1`,
  )
  expect(gaps).toEqual([])
  const covered = (): number => {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    return lines
      .map((line): { firstSequence: number; lastSequence: number } => JSON.parse(line))
      .reduce((sum, { firstSequence, lastSequence }) => sum + lastSequence - firstSequence + 1, 0)
  }
  await vi.waitFor(() => expect(covered()).toBe(17), PATIENCE)
}, 90_000)

test('checkpoints go to a URL as well, again until it says yes', async () => {
  const bodies: string[] = []
  let calls = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => (body += String(piece)))
    request.on('end', () => {
      calls += 1
      if (calls > 1) bodies.push(body)
      response.writeHead(calls > 1 ? 204 : 503).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  await sealing({ checkpoints: `http://127.0.0.1:${address.port}/checkpoints`, afterMs: 0 })
  const organizationId = await append(1)
  await vi.waitFor(() => expect(bodies).toHaveLength(1), PATIENCE)
  expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ organizationId, number: 1 })
}, 90_000)

test('a place that cannot be written to is told', async () => {
  await expect(checkpointWriter(directory)('x\n')).rejects.toThrow('EISDIR')
})
