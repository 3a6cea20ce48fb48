import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTemplate } from '@tutti/prisma/testing'
import { startTestPostgres } from '@tutti/standalone'

/** One PostgreSQL for all tests, and one migrated template in it; each test file clones its own database. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres()
  process.env['TUTTI_TEST_POSTGRES_URL'] = postgres.url
  await createTemplate()
  // Platforms keep trained models here: one trains, those after it read.
  const cache = await mkdtemp(join(tmpdir(), 'tutti-test-cache-'))
  process.env['TUTTI_CACHE_DIRECTORY'] = cache
  return async () => {
    await postgres[Symbol.asyncDispose]()
    await rm(cache, { recursive: true, force: true })
  }
}
