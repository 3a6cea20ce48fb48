import pg from 'pg'
import { createRoles } from './create-roles.ts'
import { readMigrations } from './read-migrations.ts'

const MIGRATION_LOCK = 7_885_001

export interface MigrateOptions {
  /** The owner's URL: may create roles and schemas. */
  url: string
  /** TUTTI_SECRET, from which the roles' passwords are derived. */
  secret: string
}

/**
 * Brings the database to the newest schema: roles, migrations, partitions. Safe to call from several processes at
 * once and cheap when there is nothing to do. Returns the names of the migrations it applied.
 */
export async function migrate({ url, secret }: MigrateOptions): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await createRoles(client, secret)
    const applied = await applyMigrations(url, client)
    await client.query('select log.ensure_partitions()')
    await allowQueue(client, new URL(url).pathname.slice(1))
    return applied
  } finally {
    await client.end()
  }
}

async function applyMigrations(url: string, client: pg.Client): Promise<string[]> {
  const migrations = await readMigrations()
  if (
    await isUpToDate(
      client,
      migrations.migrationDirectories.map((entry) => entry.path),
    )
  )
    return []
  const { openSchemaEngine } = await import('./schema-engine.ts')
  const { engine, close } = await openSchemaEngine(url)
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: migrations,
      filters: { externalTables: [], externalEnums: [] },
    })
    return appliedMigrationNames
  } finally {
    await close()
  }
}

/** Spares loading the engine (about 100 ms) at every start. */
async function isUpToDate(client: pg.Client, names: string[]): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    `select to_regclass('public._prisma_migrations') is not null as present`,
  )
  if (!rows[0]?.present) return false
  const applied = await client.query<{ migration_name: string }>(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
  )
  const known = new Set(applied.rows.map((row) => row.migration_name))
  return names.every((name) => known.has(name))
}

/** BullMQ says `create schema if not exists`, for which PostgreSQL wants the right even where the schema exists. */
export async function allowQueue(client: pg.Client, database: string): Promise<void> {
  await client.query(
    `grant create on database ${client.escapeIdentifier(decodeURIComponent(database))} to tutti_queue`,
  )
}
