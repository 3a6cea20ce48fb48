import { createTemplate } from '@tutti/prisma/testing'
import { startTestPostgres } from '@tutti/standalone'

/** One PostgreSQL for all tests, and one migrated template in it; each test file clones its own database. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres()
  process.env['TUTTI_TEST_POSTGRES_URL'] = postgres.url
  await createTemplate()
  return async () => {
    await postgres[Symbol.asyncDispose]()
  }
}
