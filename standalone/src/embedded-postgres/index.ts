export { startEmbeddedPostgres } from './start-embedded-postgres.ts'
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './start-embedded-postgres.ts'
export { startTestPostgres } from './start-test-postgres.ts'
export type { TestPostgres } from './start-test-postgres.ts'
