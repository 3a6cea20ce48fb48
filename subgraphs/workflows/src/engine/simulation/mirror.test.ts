import { openTestDatabase } from '@tutti/prisma/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cancelBelow, findAwaiting, findRoomyParents, releaseChildren } from '../store/children.ts'
import { claimStrands, forgiveLosses, renewLeases, rereadStrands } from '../store/claim-strands.ts'
import { readArrivals, readUndoable } from '../store/hold-strands.ts'
import { dropStrands, parkStrands } from '../store/let-go.ts'
import { writePlan } from '../store/write-plan.ts'
import { takeSignals } from '../take-signals.ts'
import { WORKER_ACTOR } from '../worker/worker-actor.ts'
import { BUGS } from './bugs.ts'
import { idOf } from './id-of.ts'
import { simulate } from './simulate.ts'
import type { Done, Statement } from './statement.ts'
import { ORGANIZATION } from './store/claim-strands.ts'
import { STORE_RULES, type StoreRules } from './store/rules.ts'

/** What a worker asks PostgreSQL for is asked in these worlds: shapes of all kinds, crashes, pauses, signals. */
const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1)
/** All but `drop`: a strand goes with its run. */
const STATEMENTS: readonly Statement['type'][] = [
  ...(['claim', 'write', 'reread', 'renew', 'park', 'forgive', 'release', 'take signals'] as const),
  ...(['read arrivals', 'list undoable', 'reconcile'] as const),
]
/** What lies between a statement's snapshot and its locks is another test's; and what is due fits into one claim. */
const MOOD = { gap: 0, hands: 100, limits: 0, control: 0.05, crash: 0.02, slow: 0.02, suspend: 0.02 }
const TABLES = ['run', 'strand', 'task', 'run_signal'] as const
/** Columns whose values are times. */
const TIMES = new Set(['due_at', 'created_at', 'ended_at', 'taken_at'])

type Row = Readonly<Record<string, unknown>> & { readonly id: string }
type Mirrored = Record<(typeof TABLES)[number], Map<string, Row>>

let database: Awaited<ReturnType<typeof openTestDatabase>>
let pool: pg.Pool

beforeAll(async () => {
  database = await openTestDatabase()
  pool = new pg.Pool({
    connectionString: database.url,
    max: 1,
    // The clock of the simulation stands before PostgreSQL's; keys to tables that nobody needs are not looked at.
    options:
      '-c search_path=simulated,pg_catalog,public -c session_replication_role=replica -c simulated.now=0',
    types: {
      getTypeParser: (oid, format) =>
        oid === pg.types.builtins.INT8 ? BigInt : pg.types.getTypeParser(oid, format),
    },
  })
  await pool.query(`create schema simulated`)
  for (const clock of ['clock_timestamp', 'statement_timestamp'])
    await pool.query(
      `create function simulated.${clock}() returns timestamptz volatile language sql
       as $$ select to_timestamp(current_setting('simulated.now')::float8 / 1000) $$`,
    )
  await pool.query(
    `insert into workflow (organization_id, id, name, latest_version)
     select $1, x.id, x.id::text, 1 from unnest($2::uuid[]) as x(id)`,
    [ORGANIZATION, [idOf('main'), idOf('sub')]],
  )
})
afterAll(async () => {
  await pool.end()
  await database[Symbol.asyncDispose]()
})

/** How often what was asked. */
const asked = new Map<Statement['type'], number>()

test.each(SEEDS)(
  'PostgreSQL does what the simulated store does: seed %i',
  { timeout: 60_000 },
  async (seed) => {
    await compare(play(seed), (statement) => asked.set(statement.type, (asked.get(statement.type) ?? 0) + 1))
  },
)

test('every statement was asked for', () => {
  for (const type of STATEMENTS) expect(asked.get(type) ?? 0, type).toBeGreaterThan(0)
})

test.each([
  'an arrival counts twice',
  'a lost lease counts as an attempt',
  'a claim does not raise the fence',
])('it shows when in the simulated store %s', { timeout: 60_000 }, async (name) => {
  const store = BUGS.find((bug) => bug.name === name)?.store ?? STORE_RULES
  let isSeen = false
  for (const seed of SEEDS)
    isSeen ||= await compare(play(seed, store)).then(
      () => false,
      () => true,
    )
  expect(isSeen).toBe(true)
})

/** Everything that the simulated database did. */
function play(seed: number, store: StoreRules = STORE_RULES): Done[] {
  const steps: Done[] = []
  simulate(seed, { mood: MOOD, store, told: (done) => steps.push(done) })
  return steps
}

/** Does the same in PostgreSQL, and fails at the first answer, row or event that is another. */
async function compare(
  steps: readonly Done[],
  onAsked: (statement: Statement) => void = () => undefined,
): Promise<void> {
  for (const table of TABLES) await pool.query(`delete from ${table}`)
  const mirrored: Mirrored = { run: new Map(), strand: new Map(), task: new Map(), run_signal: new Map() }
  for (const [index, step] of steps.entries()) {
    const { name, statement, answer, now } = step
    const at = `${index} ${name}`
    await pool.query(`select set_config('simulated.now', $1, false)`, [String(now)])
    follow(mirrored, step)
    if (!statement) {
      await copy(step)
      continue
    }
    onAsked(statement)
    await pool.query('delete from log.event')
    expect({ at, answer: comparable(statement, await ask(statement)) }).toEqual({
      ...{ at, answer: comparable(statement, answer) },
    })
    await nameTimes(step)
    expect({ at, events: await readEvents() }).toEqual({
      at,
      events: step.events.map(({ type, subject }) => `${type} ${subject}`).sort(),
    })
    const rows = await readRows()
    for (const table of TABLES) {
      const known = mirrored[table].values().toArray()
      const columns = Object.keys(known[0] ?? {})
      expect({ at, table, rows: sorted(rows[table], columns) }).toEqual({
        ...{ at, table },
        rows: sorted(known, columns),
      })
    }
  }
}

/** Does the statement in PostgreSQL. */
async function ask(statement: Statement): Promise<unknown> {
  switch (statement.type) {
    case 'claim': {
      const { limit, claim, lost } = statement
      return claimStrands(pool, { limit, claim, lost, actor: WORKER_ACTOR })
    }
    case 'write': {
      const { changes, cancels } = statement
      const written = await writePlan(pool, { changes: [...changes] }, WORKER_ACTOR)
      const parents = [...cancels].flatMap(([id, below]) => (written.written.has(id) ? below : []))
      if (parents.length > 0) await cancelBelow(pool, parents, WORKER_ACTOR)
      return written
    }
    case 'reread':
      return rereadStrands(pool, statement.held)
    case 'renew':
      return renewLeases(pool, statement.held)
    case 'drop':
      return dropStrands(pool, statement.held)
    case 'park':
      return parkStrands(pool, statement.held)
    case 'forgive':
      return forgiveLosses(pool, statement.ids)
    case 'release':
      return releaseChildren(pool, statement.parent)
    case 'take signals': {
      const strands = statement.strands.map((id) => ({ organizationId: ORGANIZATION, id }))
      return takeSignals(pool, strands)
    }
    case 'reconcile':
      return [await findRoomyParents(pool), new Set((await findAwaiting(pool)).map(({ id }) => id))]
    case 'read arrivals':
      return readArrivals(pool, statement)
    case 'list undoable':
      return readUndoable(pool, statement.run, statement.nodes)
  }
}

/** Answers whose order says nothing. */
const IN_ANY_ORDER: readonly Statement['type'][] = [
  ...(['claim', 'reread', 'renew', 'take signals', 'write', 'reconcile'] as const),
]
/** What a claim adds for its own use, and names, which are of no matter here. */
const LEFT_OUT = new Set(['workflow_name', 'lost', 'work'])

function comparable({ type }: Statement, answer: unknown): unknown {
  const value = plain(answer)
  if (!IN_ANY_ORDER.includes(type)) return value
  if (type === 'reconcile') return Array.isArray(value) ? value.map(inAnyOrder) : value
  if (type !== 'write') return inAnyOrder(value)
  return Object.fromEntries(Object.entries(value ?? {}).map(([name, list]) => [name, inAnyOrder(list)]))
}

function inAnyOrder(list: unknown): unknown {
  if (!Array.isArray(list)) return list
  return list.map(withoutNames).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

function withoutNames(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row
  const entries = Object.entries(row).filter(([name]) => !LEFT_OUT.has(name))
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** As JSON has it: without what is undefined, bigints as texts, sets as lists. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Set) return [...part]
    return typeof part === 'bigint' ? String(part) : part
  })
  return text === undefined ? null : JSON.parse(text)
}

/** Keeps rows as the simulated tables have them after the step. */
function follow(mirrored: Mirrored, { changes }: Done): void {
  for (const table of TABLES)
    for (const { before, after } of changes[table]) {
      if (after) mirrored[table].set(after.id, { ...after })
      else if (before) mirrored[table].delete(before.id)
    }
}

/** Does to PostgreSQL's rows what an act of people did. */
async function copy({ changes }: Done): Promise<void> {
  for (const table of TABLES)
    for (const { before, after } of changes[table]) {
      const id = (after ?? before)?.id
      await pool.query(`delete from ${table} where id = $1`, [id])
      if (after) await insert(table, { ...after })
    }
}

const OTHERS = { run: { started_by: {} }, run_signal: { sent_by: {} }, strand: {}, task: {} } as const

async function insert(table: (typeof TABLES)[number], row: Row): Promise<void> {
  const whole = { ...row, ...OTHERS[table], organization_id: ORGANIZATION }
  const columns = Object.keys(whole).join(', ')
  const values = Object.entries(whole).map(([column, value]) => [column, isoOf(column, value)])
  await pool.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1)`,
    [JSON.stringify(plain(Object.fromEntries(values)))],
  )
}

const isoOf = (column: string, value: unknown): unknown =>
  TIMES.has(column) && typeof value === 'number' ? textOf(value) : value

/** With the thousandths of a millisecond that a Date leaves out. */
const textOf = (ms: number): string =>
  new Date(ms).toISOString().replace('Z', `${String(Math.round((ms % 1) * 1_000)).padStart(3, '0')}Z`)

const millisecondsOf = (text: string): number => {
  const [, thousandths = ''] = /\.\d{3}(\d{1,3})/.exec(text) ?? []
  return Date.parse(text) + Number(thousandths.padEnd(3, '0')) / 1_000
}

/** When rows were made is a default of the table, and so of the real clock. */
async function nameTimes({ changes }: Done): Promise<void> {
  for (const table of ['run', 'task'] as const)
    for (const { before, after } of changes[table])
      if (after && !before)
        await pool.query(`update ${table} set created_at = $2 where id = $1`, [
          after.id,
          new Date(after.created_at),
        ])
}

async function readEvents(): Promise<string[]> {
  const { rows } = await pool.query<{ type: string; subject: string }>('select type, subject from log.event')
  return rows.map(({ type, subject }) => `${type} ${subject}`).sort()
}

async function readRows(): Promise<Record<(typeof TABLES)[number], Row[]>> {
  const { rows } = await pool.query<Record<(typeof TABLES)[number], Row[]>>(
    `select ${TABLES.map((table) => `(select coalesce(jsonb_agg(x), '[]') from ${table} x) as ${table}`).join(', ')}`,
  )
  const [all] = rows
  if (!all) throw new Error('There is no answer.')
  return all
}

/** Rows in the order of their ids, with the columns that the simulated tables have; times as milliseconds. */
function sorted(rows: Iterable<Row>, columns: readonly string[]): unknown[] {
  return [...rows]
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((row) => plain(Object.fromEntries(columns.map((name) => [name, valueOf(name, row[name])]))))
}

function valueOf(name: string, value: unknown): unknown {
  if (name === 'fence') return String(value)
  return TIMES.has(name) && typeof value === 'string' ? millisecondsOf(value) : (value ?? null)
}
