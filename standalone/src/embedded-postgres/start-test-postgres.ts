import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoryHolder } from '../lock-directory.ts'
import { findSurvivor, stopPostmaster } from './postmaster.ts'
import { startEmbeddedPostgres } from './start-embedded-postgres.ts'

const PREFIX = 'tutti-test-postgres-'

/** A PostgreSQL for tests; `url` is the superuser's. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string
  /** Ends it and deletes its directory. */
  stop(): Promise<void>
}

/**
 * Starts a PostgreSQL in a temporary directory, without fsync: fast, and worth nothing after a power cut. Leftovers of
 * test runs that were killed are cleared first.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  await clearLeftovers()
  const directory = mkdtempSync(join(tmpdir(), PREFIX))
  chmodSync(directory, 0o711) // as root, PostgreSQL runs as another user, who has to pass
  const postgres = await startEmbeddedPostgres({
    directory,
    settings: ['fsync=off', 'full_page_writes=off', 'max_connections=450'],
  })
  const stop = async () => {
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  return { url: postgres.url, stop, [Symbol.asyncDispose]: stop }
}

async function clearLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const directory = join(tmpdir(), name)
    // One without a lock may belong to a start that has not locked it yet: only dead holders count.
    if (!existsSync(join(directory, 'lock')) || directoryHolder(directory) !== undefined) continue
    const survivor = findSurvivor(join(directory, 'postgres'))
    if (survivor !== undefined) await stopPostmaster(survivor.pid, 2000)
    rmSync(directory, { recursive: true, force: true })
  }
}
