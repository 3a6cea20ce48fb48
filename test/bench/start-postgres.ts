import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTemplate } from '@tutti/prisma/testing'
import { startEmbeddedPostgres } from '@tutti/standalone'

/** A PostgreSQL as `npm start` has it (fsync on), and a directory for files; both are gone when it is disposed of. */
export interface BenchPostgres extends AsyncDisposable {
  url: string
  /** Of its server. */
  pid: number
  directory: string
}

/** Starts one, empty. */
export async function startPostgres(): Promise<BenchPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-'))
  chmodSync(directory, 0o711) // PostgreSQL runs as another user when we are root, and has to pass
  const postgres = await startEmbeddedPostgres({ directory })
  return {
    url: postgres.socketUrl,
    pid: postgres.pid,
    directory,
    async [Symbol.asyncDispose]() {
      await postgres.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Starts one, with the worlds of the tests in it: `openTestDatabase` and `startWorld` make theirs there. */
export async function startTestPostgres(): Promise<BenchPostgres> {
  await using starting = new AsyncDisposableStack()
  const postgres = starting.use(await startPostgres())
  process.env['TUTTI_TEST_POSTGRES_URL'] = postgres.url
  await createTemplate()
  starting.move()
  return postgres
}
