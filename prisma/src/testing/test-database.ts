import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Actor, Role } from '@tutti/schema'
import { scopesOf } from '@tutti/schema'
import pg from 'pg'
import { allowQueue, migrate } from '../migration/migrate.ts'
import { type Database, type DatabaseOptions, openDatabase } from '../tenancy/open-database.ts'

/** The secret that all test databases share; roles belong to the cluster. */
export const TEST_SECRET = 'a-secret-for-tests-only-of-48-characters-at-least'
const LOOKS = 20
const LOOK_MS = 10
const TEMPLATE = 'tutti_template'

/** URL of the test cluster's maintenance database, as the owner. Set by the tests' global setup. */
export function testClusterUrl(): string {
  const url = process.env['TUTTI_TEST_POSTGRES_URL']
  if (!url) throw new Error('TUTTI_TEST_POSTGRES_URL is not set: run the tests by `npm test`.')
  return url
}

async function asOwner(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: testClusterUrl() })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

const urlOf = (name: string): string => {
  const url = new URL(testClusterUrl())
  url.pathname = `/${name}`
  return url.toString()
}

/** Creates and migrates the template that every test database is a clone of. Once, in the global setup. */
export async function createTemplate(): Promise<void> {
  await asOwner(async (client) => {
    await client.query(`drop database if exists ${TEMPLATE} with (force)`)
    await client.query(`create database ${TEMPLATE}`)
  })
  await migrate({ url: urlOf(TEMPLATE), secret: TEST_SECRET })
}

export interface TestDatabase extends AsyncDisposable {
  database: Database
  /** As the owner; what processes get as DATABASE_URL. */
  url: string
  secret: string
  /** A statement as who owns the tables: what no role of the platform may do. */
  asOwner<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** Makes an organization and gives an actor of it. */
  organization(role?: Role): Promise<Actor>
}

/** A fresh database of its own, cloned in some 50 ms and dropped at the end. */
export async function openTestDatabase(
  options: Pick<DatabaseOptions, 'scoping'> = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  // Only one clone of a template at a time: whoever comes second waits.
  await asOwner(async (client) => {
    await client.query('select pg_advisory_lock(7885002)')
    await client.query(`create database ${name} template ${TEMPLATE}`)
    await allowQueue(client, name)
  })
  const url = urlOf(name)
  const owner = new pg.Pool({ connectionString: url, max: 1 })
  const database = openDatabase({ url, secret: TEST_SECRET, ...options })
  return {
    database,
    url,
    secret: TEST_SECRET,
    asOwner: async (text, values) => (await owner.query(text, values)).rows,
    async organization(role = 'admin') {
      const actor = testActor(role)
      await database.inTenant(actor, (tx) =>
        tx.db.organization.create({ data: { name: actor.organizationId } as never }),
      )
      return actor
    },
    async [Symbol.asyncDispose]() {
      await owner.end()
      await database[Symbol.asyncDispose]()
      await asOwner(async (client) => {
        await untilLeft(client, name)
        await client.query(`drop database if exists ${name} with (force)`)
      })
    },
  }
}

/** A pool says that it has ended before its connections have: one that is cut off then fails with nobody listening. */
async function untilLeft(client: pg.Client, name: string): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const { rowCount } = await client.query('select from pg_stat_activity where datname = $1', [name])
    if (rowCount === 0) return
    await wait(LOOK_MS)
  }
}

/** An actor with one role; in a new organization unless one is given. */
export function testActor(role: Role, organizationId: string = newOrganizationId()): Actor {
  return {
    organizationId,
    id: `${role}-of-tests`,
    kind: role === 'agent' ? 'agent' : 'person',
    name: role,
    roles: [role],
    scopes: scopesOf([role]),
  }
}

function newOrganizationId(): string {
  const hex = randomBytes(16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}
