import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { blocksOf } from './blocks-of.ts'
import { canonicalJson } from './canonical-json.ts'
import { linesOf } from './lines-of.ts'
import { MerkleTree } from './merkle-root.ts'
import { openThreads } from './open-threads.ts'
import type { Report, VerifySettings } from './record-walk.ts'
import { checkHere, type Checker, verifyBlocks } from './verify-blocks.ts'
import { verifyRecord } from './verify-record.ts'

const ENTRIES = 60
const A_CHECKPOINT = 8
/** What comes after it is in the chain and signed by none yet. */
const SIGNED = 56
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const keyId = createHash('sha256')
  .update(publicKey.export({ type: 'spki', format: 'der' }))
  .digest('hex')
  .slice(0, 16)
const MINE = '01990000-0000-7000-8000-000000000000'
const uuid = (n: number): string => `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`
const salt = (n: number): string => sha256(`salt ${n}`).slice(0, 32)

/** A record with events, entries of the trail, pruned ones and what says so; hashes from a place on are made for it. */
function record(change: (n: number, event: Record<string, unknown>) => void = () => undefined): string[] {
  let previous = '0'.repeat(64)
  return Array.from({ length: ENTRIES }, (_, index) => {
    const sequence = index + 1
    const event: Record<string, unknown> = {
      actor: { id: 'agent:réply', kind: 'agent' },
      data: { amount: 0.5, note: sequence % 5 === 0 ? `,"hash":"\u{1f3b5}` : 'fine', run: uuid(sequence) },
      id: uuid(1_000 + sequence),
      organizationId: MINE,
      salt: salt(sequence),
      seq: String(97 + sequence),
      sequence,
      subject: sequence % 11 === 0 ? 'a "quoted" one' : `task/${sequence}`,
      time: new Date(Date.UTC(2026, 0, 1 + 3 * sequence)).toISOString(),
      type: 'task.completed',
    }
    if (sequence % 6 === 0) {
      const entry = { classification: 'internal', id: uuid(sequence), timestamp: event['time'] }
      const [details, summary] = [{ amount: sequence }, `Refunded ${sequence}`]
      const text = sha256(`${salt(-sequence)}${canonicalJson({ details, summary })}`)
      event['type'] = 'audit.recorded'
      event['data'] = { digest: sha256(canonicalJson({ ...entry, text })), entryId: entry.id }
      // The first ones are pruned, as a later event says; two have lost their text, one of them rightly.
      if (sequence === 18 || sequence === 54) {
        const erased = { ...entry, keyIds: [uuid(sequence)] }
        event['data'] = { digest: sha256(canonicalJson({ ...erased, text })), entryId: entry.id }
        event['entry'] = { ...erased, text }
      } else if (sequence > 12) event['entry'] = { ...entry, details, summary, salt: salt(-sequence) }
    }
    if (sequence === 20) {
      event['type'] = 'subject.erased'
      event['data'] = { keyIds: [uuid(18)] }
    }
    if (sequence === 50) {
      event['type'] = 'audit.pruned'
      event['data'] = { events: ['103', '109'] }
    }
    change(sequence, event)
    const { actor, data, id, organizationId, seq, subject, time, type } = event
    const content = sha256(`${salt(sequence)}${canonicalJson({ actor, data })}`)
    const covered = canonicalJson({ content, id, organizationId, seq, subject, time, type })
    previous = sha256(`${previous}${sequence}${covered}`)
    return canonicalJson({ ...event, hash: previous })
  })
}

const lines = record()
const text = `${lines.join('\n')}\n`
const checkpoints = signed(lines)

/** Its checkpoints; of the one with the number `wrong`, the root is none of its entries. */
function signed(of: readonly string[], wrong?: number): string[] {
  let previous = '0'.repeat(64)
  return Array.from({ length: SIGNED / A_CHECKPOINT }, (_, index) => {
    const firstSequence = index * A_CHECKPOINT + 1
    const tree = new MerkleTree()
    let hash = ''
    for (const line of of.slice(firstSequence - 1, firstSequence - 1 + A_CHECKPOINT)) {
      hash = String(JSON.parse(line).hash)
      tree.add(hash)
    }
    const lastSequence = firstSequence + A_CHECKPOINT - 1
    const time = '2027-01-01T00:00:00.000Z'
    const number = index + 1
    const root = number === wrong ? sha256('wrong') : tree.root()
    const statement = canonicalJson({
      organizationId: MINE,
      number,
      firstSequence,
      lastSequence,
      hash,
      root,
      previous,
      time,
      keyId,
    })
    previous = sha256(statement)
    const signature = sign(null, Buffer.from(statement), privateKey).toString('base64')
    return canonicalJson({ ...JSON.parse(statement), signature })
  })
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

const settings = (more: Partial<VerifySettings> = {}): VerifySettings => ({
  checkpoints,
  key: publicKey,
  ...more,
})
const told = (report: Promise<Report>): Promise<Report | string> => report.catch(String)
const byLine = (bytes: Uint8Array, more?: Partial<VerifySettings>) =>
  told(verifyRecord(linesOf(pieces(bytes, 700)), settings(more)))
const byBlock = (bytes: Uint8Array, size: number, by: Checker, more?: Partial<VerifySettings>) =>
  told(verifyBlocks(blocksOf(pieces(bytes, size)), settings(more), by))

const threads = openThreads(2)
afterAll(() => threads[Symbol.asyncDispose]())

/** A checker that counts the blocks that need no walk. */
function counting(): Checker & { well: number } {
  const inner = checkHere()
  return {
    ...inner,
    well: 0,
    async check(block) {
      const checked = await inner.check(block)
      if (checked !== null) this.well += 1
      return checked
    },
  }
}

test('a record that nobody touched is verified block by block, wherever they are cut, and none is walked through', async () => {
  for (const size of [900, 3_000, 7_000]) {
    const counter = counting()
    const report = await byBlock(Buffer.from(text), size, counter)
    expect(report).toMatchObject({
      entries: ENTRIES,
      checkpoints: 7,
      uncovered: 4,
      pruned: 2,
      erased: 1,
      faults: [{ kind: 'entry_missing', sequence: 54 }],
    })
    expect(report).toEqual(await byLine(Buffer.from(text)))
    expect(counter.well).toBeGreaterThanOrEqual(Math.floor(text.length / size) - 2)
  }
})

const bytes = Buffer.from(text)
const edit = fc.record({
  at: fc.nat(bytes.length - 1),
  removed: fc.nat(3),
  put: fc.oneof(
    fc.constantFrom('', '\n', '\r\n', ' ', '"', '\\', '}', '\ufeff', '0', '"seq":"1",', ',"hash":"', '1.0'),
    fc.string({ maxLength: 3 }),
  ),
})
const byBytes = fc
  .array(edit, { minLength: 1, maxLength: 3 })
  .map((edits) =>
    edits.reduce<Buffer>(
      (of, { at, removed, put }) =>
        Buffer.concat([of.subarray(0, at), Buffer.from(put), of.subarray(at + removed)]),
      bytes,
    ),
  )
const line = fc.nat(ENTRIES - 1)
const byLines = fc
  .array(fc.tuple(fc.constantFrom('drop', 'again', 'swap', 'blank', 'cut', 'loose', 'crlf'), line, line), {
    minLength: 1,
    maxLength: 3,
  })
  .map((acts) => {
    let all = [...lines]
    for (const [act, a, b] of acts) {
      const mine = all[a] ?? ''
      if (act === 'drop') all = all.toSpliced(a, 1)
      else if (act === 'again') all = all.toSpliced(b, 0, ...all.slice(a, a + 5))
      else if (act === 'swap')
        all = all.with(a % all.length, all[b % all.length] ?? '').with(b % all.length, mine)
      else if (act === 'blank') all = all.toSpliced(a, 0, '')
      else if (act === 'cut') all = all.slice(0, Math.max(1, a))
      // The same JSON, in another form: nothing is wrong with that.
      else if (act === 'loose') all[a % all.length] = mine.replace('{"actor":', '{ "actor" : ')
      else all = all.map((each) => `${each}\r`)
    }
    return Buffer.from(all.join('\n'))
  })
/** Forged with hashes that fit: only what was signed tells. */
const byForgery = fc
  .tuple(line, fc.constantFrom('data', 'subject', 'seq', 'type', 'entry', 'organizationId'))
  .map(([n, name]) =>
    Buffer.from(
      record((sequence, event) => {
        if (sequence !== n + 1) return
        if (name === 'seq') event['seq'] = '12'
        else if (name === 'type') event['type'] = 'audit.recorded'
        else if (name === 'organizationId') event[name] = uuid(2)
        else event[name] = name === 'data' ? { z: 1, a: [{}, null] } : 'other'
      }).join('\n'),
    ),
  )

test('of any tampering, blocks say what the walk line by line says, in this thread and in others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(byBytes, byLines, byForgery),
      fc.integer({ min: 200, max: 9_000 }),
      fc.constantFrom<Partial<VerifySettings>>({}, {}, { from: 9 }, { to: 20 }, { organizationId: uuid(1) }),
      async (tampered, size, more) => {
        const expected = await byLine(tampered, more)
        expect(await byBlock(tampered, size, checkHere(), more)).toEqual(expected)
        expect(await byBlock(tampered, size, threads, more)).toEqual(expected)
      },
    ),
    { numRuns: 150 },
  )
}, 180_000)

test('a line that is no text, or is nested beyond reason, is found at its place', async () => {
  const at = (n: number, line: string | Uint8Array): Uint8Array =>
    Buffer.concat(
      lines.flatMap((own, index) => [Buffer.from(index === n - 1 ? line : own), Buffer.from('\n')]),
    )
  const own = Buffer.from(lines[20] ?? '')
  const nested = (open: string, close: string): string =>
    (lines[20] ?? '').replace(
      /"data":.*(?=,"hash":")/,
      `"data":${open.repeat(200_000)}0${close.repeat(200_000)}`,
    )
  for (const line of [own.with(9, 0xff), nested('[', ']'), nested('{"a":', '}'), '['.repeat(1_000_000)]) {
    const expected = await byLine(at(21, line))
    expect(expected).toMatchObject({
      faults: expect.arrayContaining([expect.objectContaining({ kind: 'unreadable', sequence: 21 })]),
    })
    expect(await byBlock(at(21, line), 7_000, threads)).toEqual(expected)
  }
})

test('checkpoints that are no chain are gone by all the same', async () => {
  for (const given of [
    checkpoints.slice(2),
    checkpoints.toSpliced(3, 1),
    checkpoints.toReversed(),
    signed(lines, 4),
    [],
  ]) {
    const more = { checkpoints: given }
    const expected = await byLine(bytes, more)
    for (const size of [2_000, 7_000, 9_000, 12_000])
      expect(await byBlock(bytes, size, threads, more)).toEqual(expected)
  }
})

test('a thread that fails is told, and not waited for', async () => {
  const failing: Checker = {
    ...checkHere(),
    most: 3,
    check: () => Promise.reject(new Error('out of memory')),
  }
  expect(await byBlock(bytes, 1_000, failing)).toBe('Error: out of memory')
})
