import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { createKms } from '@tutti/runtime/secrets'
import { type Actor, actorSchema, fail, type NewEvent } from '@tutti/schema'
import pg from 'pg'
import { PrismaClient } from '../../generated/client.ts'
import { appendEvents } from '../log/append-events.ts'
import { type DatabaseRole, roleUrl } from '../roles.ts'
import { openSubjectKeys, type SubjectKeys } from '../subjects/subject-keys.ts'
import { CoalescingSocket } from './coalescing-socket.ts'
import { queryPlanned } from './planned-query.ts'
import { scoping } from './scoping.ts'

// bigint of raw reads becomes BigInt; on our pools only, since Prisma and BullMQ parse strings themselves and fail at
// anything else (`count()`, every read of a bigint column).
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? (value: string) => BigInt(value)
      : pg.types.getTypeParser(oid, format),
}

export interface DatabaseOptions {
  /** `postgres://host:port/database`; user and password in it are the owner's and not used here. */
  url: string
  /** TUTTI_SECRET. */
  secret: string
  /** What wraps the keys of data subjects, and wrapped them before: TUTTI_MASTER_KEY and TUTTI_MASTER_KEY_PREVIOUS. */
  masterKey?: string | undefined
  previous?: string | undefined
  /** Connections of the api role's pool. */
  poolSize?: number
  /** The Prisma filter; switched off only by the test that row-level security holds alone. */
  scoping?: boolean
}

const scopedClient = (client: PrismaClient, organizationId: string) =>
  client.$extends(scoping(organizationId))
type ScopedClient = ReturnType<typeof scopedClient>

/** Prisma inside one tenant's transaction. */
export type TenantClient = Parameters<Parameters<ScopedClient['$transaction']>[0]>[0]

/** What an operation works with that needs no Prisma: one transaction, one tenant. */
export interface SqlTransaction {
  actor: Actor
  /** Keys that personal data is encrypted under. */
  subjectKeys: SubjectKeys
  /** Raw SQL in the same transaction. Cast uuid parameters: `$1::uuid`. */
  sql<Row = Record<string, unknown>>(text: string, ...parameters: unknown[]): Promise<Row[]>
  /** Adds to the log, in the same transaction. Call it after the subject's row is written or locked. */
  appendEvent(event: NewEvent): Promise<void>
  appendEvents(events: readonly NewEvent[]): Promise<void>
}

/** What an operation works with: one transaction, one tenant. */
export interface TenantTransaction extends SqlTransaction {
  db: TenantClient
}

export interface Database extends AsyncDisposable {
  /** One operation, one transaction; never nested, no I/O to the outside within. Announces its events afterwards. */
  inTenant<T>(actor: Actor, work: (tx: TenantTransaction) => Promise<T>): Promise<T>
  /**
   * As {@link inTenant} on plain pg, at a tenth of Prisma's cost: for operations that write their SQL themselves. Their
   * statements are planned once a connection, so they go by key; their texts are constants. Events are written together, as
   * the last statement.
   */
  inSql<T>(actor: Actor, work: (tx: SqlTransaction) => Promise<T>): Promise<T>
  /** Plain rows for loaders, at a tenth of Prisma's cost. Column names as SQL gives them. */
  readTenant<Row extends pg.QueryResultRow>(
    actor: Actor,
    text: string,
    parameters?: unknown[],
  ): Promise<Row[]>
  /**
   * As {@link inTenant} on plain pg: for the engine's hand-written statements, at a tenth of Prisma's cost. `plan:
   * 'generic'`: its named statements are planned once and not for every call; for those that go by key alone.
   */
  transact<T>(
    actor: Actor,
    work: (client: pg.PoolClient) => Promise<T>,
    options?: { plan?: 'generic' },
  ): Promise<T>
  /** Keys that personal data is encrypted under. */
  subjectKeys: SubjectKeys
  /** The pool of a role; made at first use. */
  pool(role: DatabaseRole): pg.Pool
  /** Called after every transaction that appended events; the tail's nudge hangs here. */
  onAppend(listener: () => void): void
  /** Tells the listeners that somebody committed events by other means (the engine's batches). */
  announce(): void
}

/** Opens pools and Prisma for one process. */
export function openDatabase(options: DatabaseOptions): Database {
  const pools = new Map<DatabaseRole | 'keys', pg.Pool>()
  const listeners: (() => void)[] = []
  const pool = (use: DatabaseRole | 'keys'): pg.Pool => {
    const existing = pools.get(use)
    if (existing) return existing
    const created = new pg.Pool({
      connectionString: roleUrl(options.url, use === 'keys' ? 'api' : use, options.secret),
      max: use === 'api' ? (options.poolSize ?? 10) : use === 'sealer' || use === 'keys' ? 2 : 5,
      application_name: `tutti-${use}`,
      types: TYPES,
      pipeline: true,
      stream: () => new CoalescingSocket(),
    })
    created.on('error', () => undefined) // an idle connection broke; the pool replaces it
    // One that breaks in somebody's hands fails their query; as an event without a listener it would end the process.
    created.on('connect', (client) => client.on('error', () => undefined))
    pools.set(use, created)
    return created
  }
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool('api')),
    transactionOptions: { maxWait: 10_000, timeout: 15_000 },
  })
  const clients = new Map<string, ScopedClient>()
  const clientOf = (organizationId: string): ScopedClient => {
    const known = clients.get(organizationId)
    if (known) return known
    if (clients.size > 2_000) clients.clear()
    const client = scopedClient(prisma, organizationId)
    clients.set(organizationId, client)
    return client
  }
  const announce = (): void => {
    for (const listener of listeners) listener()
  }

  // Connections of its own: whoever holds one of the others may wait for a key.
  const subjectKeys = openSubjectKeys(
    (actor, work) => transact(pool('keys'), actor, 'begin', work),
    createKms(options),
  )

  return {
    subjectKeys,

    async inTenant(actor, work) {
      const organizationId = tenantOf(actor)
      const client = options.scoping === false ? (prisma as ScopedClient) : clientOf(organizationId)
      let appended = false
      const result = await client.$transaction(async (db) => {
        await db.$executeRaw`select set_config('app.organization', ${organizationId}, true)`
        return work({
          actor,
          subjectKeys,
          db,
          sql: (text, ...parameters) => db.$queryRawUnsafe(text, ...parameters),
          appendEvent: async (event) => {
            appended = true
            await appendEvents(db, actor, [event])
          },
          appendEvents: async (events) => {
            appended ||= events.length > 0
            await appendEvents(db, actor, events)
          },
        })
      })
      if (appended) announce()
      return result
    },

    async inSql(actor, work) {
      const events: NewEvent[] = []
      const execute = (client: pg.PoolClient, text: string, values: unknown[]) =>
        queryPlanned(client, { name: statementName(text), text, values }, TYPES)
      const result = await transactThen(
        pool('api'),
        actor,
        `begin; ${PLANNED_ONCE}`,
        (client) =>
          work({
            actor,
            subjectKeys,
            sql: async <Row>(text: string, ...parameters: unknown[]): Promise<Row[]> =>
              (await execute(client, text, parameters)).rows as Row[],
            appendEvent: async (event) => void events.push(event),
            appendEvents: async (more) => void events.push(...more),
          }),
        async (client, done) => {
          const log = {
            $executeRawUnsafe: async (text: string, ...parameters: unknown[]) =>
              (await execute(client, text, parameters)).rowCount,
          }
          await appendEvents(log, actor, events)
          return done
        },
      )
      if (events.length > 0) announce()
      return result
    },

    readTenant: (actor, text, parameters = []) =>
      transactThen(
        pool('api'),
        actor,
        'begin read only',
        async () => undefined,
        async (client) => (await client.query(text, parameters)).rows,
      ),

    transact: (actor, work, { plan } = {}) =>
      transact(pool('api'), actor, `begin; ${plan === 'generic' ? PLANNED_ONCE : PLANNING}`, work),

    pool,
    onAppend: (listener) => void listeners.push(listener),
    announce,

    async [Symbol.asyncDispose]() {
      await prisma.$disconnect()
      await Promise.all([...pools.values()].map((each) => each.end()))
    },
  }
}

// Row-level security puts the tenant into every scan. A plan must know how large the tables are now, not at first use,
// and go by key: a hash join reads all of a tenant's rows to change one.
const PLANNING = [
  'plan_cache_mode = force_custom_plan',
  'enable_hashjoin = off',
  'enable_mergejoin = off',
  'jit = off',
]
  .map((setting) => `set local ${setting}`)
  .join('; ')

const NAMES = new Map<string, string>()

/** The name by which a connection keeps a statement. */
function statementName(text: string): string {
  const known = NAMES.get(text)
  if (known !== undefined) return known
  const name = createHash('sha256').update(text).digest('hex').slice(0, 32)
  NAMES.set(text, name)
  return name
}

const PLANNED_ONCE = 'set local plan_cache_mode = force_generic_plan; set local jit = off'

/** One transaction bound to the actor's tenant. */
const transact = <T>(
  pool: pg.Pool,
  actor: Actor,
  begin: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => transactThen(pool, actor, begin, work, async (_, done) => done)

/**
 * One transaction bound to the actor's tenant. Statements go without waiting for what is before them, so begin and tenant
 * are one trip with the first of them, and what `last` says is one trip with the commit. One that fails fails all after it.
 */
async function transactThen<Done, T>(
  pool: pg.Pool,
  actor: Actor,
  begin: string,
  work: (client: pg.PoolClient) => Promise<Done>,
  last: (client: pg.PoolClient, done: Done) => Promise<T>,
): Promise<T> {
  const tenant = tenantOf(actor)
  const client = await pool.connect()
  let failed = true
  try {
    const begun = client.query(`${begin}; set local app.organization = '${tenant}'`)
    begun.catch(() => undefined) // awaited below, where nothing before it failed
    const done = await work(client)
    const [, result] = await Promise.all([begun, last(client, done), client.query('commit')])
    failed = false
    return result
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

/** The tenant is written into SQL text, so it is parsed here once more. */
function tenantOf(actor: Actor): string {
  const parsed = actorSchema.shape.organizationId.safeParse(actor.organizationId)
  return parsed.success ? parsed.data : fail('INTERNAL', { message: 'An actor without a tenant.' })
}
