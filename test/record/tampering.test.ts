import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { type Fault, openThreads, verifyBlocks } from 'tutti-verify'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRecordWorld, type RecordWorld, verify } from './record-world.ts'

const SEED = 20_261_122
const ENTRIES = 112
/** As the world signs: so many entries a checkpoint. */
const A_CHECKPOINT = 16

let world: RecordWorld
let owner: pg.Client
let lines: string[]
let key: string
let checkpoints: string[]
const threads = openThreads(2)

beforeAll(async () => {
  world = await openRecordWorld()
  owner = new pg.Client({ connectionString: world.url })
  await owner.connect()
  await world.write(ENTRIES)
  await world.seal()
  lines = await world.export()
  key = await world.publicKey()
  checkpoints = [...world.outside]
})
afterAll(async () => {
  await owner.end()
  await threads[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

let state = SEED
/** From 0 to below n; the same every time. */
const random = (n: number): number => {
  state = (state * 48_271) % 2_147_483_647
  return state % n
}
const pick = <T>(items: readonly T[]): T => {
  const item = items[random(items.length)]
  if (item === undefined) throw new Error('There is nothing to pick from.')
  return item
}
type Json = Record<string, unknown>
const read = (line: string): Json => JSON.parse(line)
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** RFC 8785, for what these tests make. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`
}
const startOfCheckpoint = (sequence: number): number => sequence - ((sequence - 1) % A_CHECKPOINT)

/** What somebody did, and the sequence (or checkpoint) at which it has to be found. */
interface Tampering {
  what: string
  lines?: string[]
  checkpoints?: string[]
  at: { sequence: number } | { checkpoint: number }
}

async function find({ what, at, ...changed }: Tampering): Promise<void> {
  const given = { lines, checkpoints, ...changed }
  const report = await verify(given.lines, given.checkpoints, key)
  expect(await inBlocks(given.lines, given.checkpoints), what).toEqual(report)
  const told = `${what}: ${JSON.stringify(report.faults.slice(0, 4))}`
  expect(report.faults.length, told).toBeGreaterThan(0)
  const places = (of: (fault: Fault) => number | undefined) =>
    report.faults.map(of).filter((place) => place !== undefined)
  if ('checkpoint' in at)
    expect(
      places((fault) => fault.checkpoint),
      told,
    ).toContain(at.checkpoint)
  else expect(Math.min(...places(({ sequence }) => sequence)), told).toBe(at.sequence)
}

/** As `tutti-verify` does it with a large file: some lines at a time, in other threads. */
const inBlocks = (of: readonly string[], signed: readonly string[]) =>
  verifyBlocks(
    (async function* () {
      for (let at = 0; at < of.length; at += 40)
        yield Buffer.from(
          of
            .slice(at, at + 40)
            .map((line) => `${line}\n`)
            .join(''),
        )
    })(),
    { checkpoints: signed, key: createPublicKey(key) },
    threads,
  )

interface Column {
  table: string
  name: string
  type: string
}

async function columns(): Promise<Column[]> {
  // Words of an entry are what search finds it by: no part of the record.
  const all = await world.asOwner<{ table: string; name: string; type: string }>(
    `select c.oid::regclass::text as table, a.attname as name, format_type(a.atttypid, null) as type
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.oid = any(array['log.event', 'audit_entry', 'audit_seal']::regclass[]) and a.attnum > 0 and not a.attisdropped
       and a.attname not in ('xid', 'run_id', 'words') order by 1, a.attnum`,
  )
  expect(all.length).toBeGreaterThan(25)
  return all
}

/** A row by the sequence of its entry. */
const ROW: Record<string, (sequence: number) => string> = {
  'log.event': (n) => `seq = (select event_seq from audit_seal s where s.${mine()} and s.sequence = ${n})`,
  audit_entry: (n) => `id = '${String(dataOf(n)['entryId'])}'`,
  audit_seal: (n) => `sequence = ${n}`,
}
const rowOf = (table: string, sequence: number): string => ROW[table]?.(sequence) ?? ''
const dataOf = (sequence: number): Json => ({ ...Object(read(lines[sequence - 1] ?? '')['data']) })
const isAudit = (sequence: number): boolean => read(lines[sequence - 1] ?? '')['type'] === 'audit.recorded'

function placeFor(table: string): number {
  for (;;) {
    const sequence = 1 + random(ENTRIES)
    if (table !== 'audit_entry' || isAudit(sequence)) return sequence
  }
}

const OTHER: Record<string, (n: number) => string> = {
  uuid: () => 'uuidv7()',
  text: (n) => `'other-${n}'`,
  jsonb: (n) => `'{"other": ${n}}'`,
  bytea: (n) => `sha256('${n}')`,
  bigint: (n) => `${1_000_000 + n}`,
  'text[]': (n) => `'{other-${n}}'`,
  'uuid[]': () => 'array[uuidv7()]',
}

/** A change of what is in the database, made in a transaction that is rolled back when the export was read in it. */
async function inDatabase(what: string, sequence: number, statement: string): Promise<Tampering> {
  await owner.query('begin')
  try {
    const { rowCount } = await owner.query(statement)
    expect(rowCount, statement).toBe(1)
    return { what, lines: await world.export(world.actor, owner), at: { sequence } }
  } finally {
    await owner.query('rollback')
  }
}

const mine = (): string => `organization_id = '${world.actor.organizationId}'`

/** Any column of any row of the record. */
function changeColumn({ table, name, type }: Column, n: number): Promise<Tampering> {
  const sequence = placeFor(table)
  const other = type.startsWith('timestamp')
    ? `${name} + interval '1 ms' * ${1 + (n % 900)}`
    : (OTHER[type]?.(n) ?? 'null')
  return inDatabase(
    `${table}.${name} of ${sequence}`,
    sequence,
    `update ${table} set ${name} = ${other} where ${mine()} and ${rowOf(table, sequence)}`,
  )
}

function deleteRow(n: number): Promise<Tampering> {
  const table = ['log.event', 'audit_entry', 'audit_seal'][n % 3] ?? ''
  const sequence = placeFor(table)
  return inDatabase(
    `${table} without ${sequence}`,
    sequence,
    `delete from ${table} where ${mine()} and ${rowOf(table, sequence)}`,
  )
}

/** Writes hashes anew from an entry on, as who knows how the chain is made would. */
function forge(
  from: number,
  change: (entry: Json, sequence: number) => Json,
  of: readonly string[] = lines,
): string[] {
  let previous = from === 1 ? '0'.repeat(64) : String(read(of[from - 2] ?? '')['hash'])
  return of.map((line, index) => {
    const sequence = index + 1
    if (sequence < from) return line
    const forged = change(read(line), sequence)
    const { salt, actor, data, id, organizationId, seq, subject, time, type } = forged
    const content = sha256(`${String(salt)}${canonical({ actor, data })}`)
    const entry = canonical({ content, id, organizationId, seq, subject, time, type })
    previous = sha256(`${previous}${sequence}${entry}`)
    return canonical({ ...forged, sequence, hash: previous })
  })
}

function forgeEntry(): Tampering {
  const place = 1 + random(ENTRIES)
  const forged = forge(place, (entry, sequence) =>
    sequence === place ? { ...entry, actor: { id: 'user:mallory', kind: 'person', name: 'Mallory' } } : entry,
  )
  return { what: `forged from ${place}`, lines: forged, at: { sequence: startOfCheckpoint(place) } }
}

function deleteLine(): Tampering {
  const sequence = 1 + random(ENTRIES - 1)
  return { what: `line ${sequence} left out`, lines: lines.toSpliced(sequence - 1, 1), at: { sequence } }
}

/** Left out, and everything after it numbered and hashed anew. */
function forgeDeletion(): Tampering {
  const sequence = 1 + random(ENTRIES - 1)
  const start = startOfCheckpoint(sequence)
  // The last checkpoint has no end then, which is what is seen.
  const rest = lines.toSpliced(sequence - 1, 1)
  return {
    what: `${sequence} forged away`,
    lines: forge(sequence, (entry) => entry, rest),
    at: { sequence: start + A_CHECKPOINT > ENTRIES ? ENTRIES : start },
  }
}

function reorder(): Tampering {
  const a = 1 + random(ENTRIES - 1)
  const b = a + 1 + random(ENTRIES - a)
  const swapped = lines.with(a - 1, lines[b - 1] ?? '').with(b - 1, lines[a - 1] ?? '')
  return { what: `${a} and ${b} changed places`, lines: swapped, at: { sequence: a } }
}

/** In the other's place, with numbers and hashes that fit. */
function forgeOrder(): Tampering {
  const a = 1 + random(ENTRIES - 1)
  const swapped = lines.with(a - 1, lines[a] ?? '').with(a, lines[a - 1] ?? '')
  // Events of the log have an order of their own; before that, the checkpoint is not what was signed.
  return {
    what: `${a} and ${a + 1} forged in the other order`,
    lines: forge(a, (entry) => entry, swapped),
    at: { sequence: Math.min(startOfCheckpoint(a), a + 1) },
  }
}

function truncate(): Tampering {
  const kept = random(ENTRIES)
  return { what: `cut off after ${kept}`, lines: lines.slice(0, kept), at: { sequence: kept + 1 } }
}

function replay(): Tampering {
  const start = random(ENTRIES - 10)
  const segment = lines.slice(start, start + 1 + random(9))
  const after = start + segment.length + random(ENTRIES - start - segment.length)
  const twice = lines.toSpliced(after, 0, ...segment)
  return { what: `${start + 1} and on once more after ${after}`, lines: twice, at: { sequence: start + 1 } }
}

/** Once more, with numbers and hashes that fit. */
function forgeReplay(): Tampering {
  const start = random(ENTRIES - 10)
  const segment = lines.slice(start, start + 1 + random(9))
  const twice = lines.toSpliced(start + segment.length, 0, ...segment)
  const place = start + segment.length + 1
  return {
    what: `${start + 1} and on forged once more`,
    lines: forge(place, (entry) => entry, twice),
    at: { sequence: Math.min(startOfCheckpoint(place), place) },
  }
}

function editCheckpoint(n: number): Tampering {
  const index = random(checkpoints.length)
  const checkpoint = read(checkpoints[index] ?? '')
  const name = pick(Object.keys(checkpoint).filter((each) => !['number', 'organizationId'].includes(each)))
  const value = checkpoint[name]
  const other =
    typeof value === 'number' ? value + 1 + n : name === 'time' ? '2020-01-01T00:00:00.000Z' : sha256(`${n}`)
  const edited = checkpoints.with(index, JSON.stringify({ ...checkpoint, [name]: other }))
  return { what: `${name} of checkpoint ${index + 1}`, checkpoints: edited, at: { checkpoint: index + 1 } }
}

function removeCheckpoint(): Tampering {
  const index = random(checkpoints.length - 1)
  return {
    what: `checkpoint ${index + 1} left out`,
    checkpoints: checkpoints.toSpliced(index, 1),
    at: { checkpoint: index + 1 },
  }
}

/** Everything forged from an entry on, and signed anew with a key of one's own. */
function swapKey(own: { publicKey: KeyObject; privateKey: KeyObject }): Tampering {
  const { what, lines: forged } = forgeEntry()
  const index = random(checkpoints.length)
  const signed = checkpoints.map((line, at) => {
    if (at < index) return line
    const { signature: _, ...statement } = read(line)
    const keyId = createHash('sha256')
      .update(own.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex')
      .slice(0, 16)
    const text = canonical({ ...statement, keyId })
    return canonical({
      ...statement,
      keyId,
      signature: sign(null, Buffer.from(text), own.privateKey).toString('base64'),
    })
  })
  return {
    what: `${what}, signed with another key from checkpoint ${index + 1}`,
    checkpoints: signed,
    at: { checkpoint: index + 1 },
    ...(forged ? { lines: forged } : {}),
  }
}

test('nothing is wrong with what nobody touched', async () => {
  expect(await verify(lines, checkpoints, key)).toMatchObject({
    entries: ENTRIES,
    checkpoints: 7,
    uncovered: 0,
    faults: [],
  })
  expect(
    await verify(
      forge(1, (entry) => entry),
      checkpoints,
      key,
    ),
  ).toMatchObject({ faults: [] })
})

test('500 tamperings: 500 are found, where they were made', async () => {
  const own = generateKeyPairSync('ed25519')
  const all = await columns()
  const ways: readonly [count: number, way: (n: number) => Tampering | Promise<Tampering>][] = [
    [180, (n) => changeColumn(all[n % all.length] ?? pick(all), n)],
    [30, deleteRow],
    [30, deleteLine],
    [30, forgeDeletion],
    [30, reorder],
    [20, forgeOrder],
    [30, truncate],
    [30, replay],
    [20, forgeReplay],
    [30, forgeEntry],
    [30, editCheckpoint],
    [20, removeCheckpoint],
    [20, () => swapKey(own)],
  ]
  let found = 0
  for (const [count, way] of ways)
    for (let n = 0; n < count; n += 1) {
      await find(await way(n))
      found += 1
    }
  expect(found).toBe(500)
  expect((await verify(await world.export(), checkpoints, key)).faults).toEqual([])
}, 300_000)

test('a line is what was exported, to the letter: what it says twice, or in other words, is found', async () => {
  const changes = (sequence: number, other: number): [string, number, (text: string) => string][] => [
    [
      'a key twice in an entry',
      sequence,
      (text) => text.replace('"summary":', '"summary":"Forged","summary":'),
    ],
    ['a key twice in its details', sequence, (text) => text.replace('"amount":', '"amount":1,"amount":')],
    ['a key twice in an event', other, (text) => text.replace('{"actor":', '{"actor":{"id":"x"},"actor":')],
    ['a key twice at its end', other, (text) => text.replace(',"type":', ',"type":"x","type":')],
    ['a space', other, (text) => text.replace(',"data":', ', "data":')],
    ['another escape', sequence, (text) => text.replace('"Refunded', '"\\u0052efunded')],
    ['a number as another', sequence, (text) => text.replace(/"amount":[\d.]+/, '$&e0')],
    ['another order', sequence, (text) => text.replace(/("domain":"[^"]*"),("id":"[^"]*")/, '$2,$1')],
  ]
  // Where lines are walked through, at the edge of a block, and within a checkpoint in a block.
  for (const from of [0, 41, 50]) {
    const sequence =
      lines.findIndex((line, index) => index >= from && line.includes('"summary":"Refunded')) + 1
    for (const [what, place, change] of changes(sequence, sequence + 1)) {
      const line = lines[place - 1] ?? ''
      const changed = change(line)
      expect(changed, what).not.toBe(line)
      expect(read(changed), what).toEqual(read(line))
      await find({ what, lines: lines.with(place - 1, changed), at: { sequence: place } })
      const { faults } = await verify(lines.with(place - 1, changed), checkpoints, key)
      expect(faults, what).toMatchObject([{ kind: 'not_canonical', sequence: place }])
    }
  }
})
