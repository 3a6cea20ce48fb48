import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const directory = join(import.meta.dirname, '../../migrations')

/** The checked-in migrations in order, in the form the schema engine wants. */
export async function readMigrations() {
  const names = (await readdir(directory)).filter((name) => /^\d{14}_/.test(name)).sort()
  const migrationDirectories = await Promise.all(
    names.map(async (name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: {
          tag: 'ok' as const,
          value: await readFile(join(directory, name, 'migration.sql'), 'utf8'),
        },
      },
    })),
  )
  return {
    baseDir: directory,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories,
  }
}
