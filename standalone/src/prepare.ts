import { bootstrapDevelopment } from '@tutti/governance/domain'
import { migrate, openDatabase } from '@tutti/prisma'
import { untilBegin } from './supervision/supervised.ts'

/** What a prepared database answers with: `keys` (role → API key) only when they were made just now. */
export interface Prepared {
  readonly migrations: readonly string[]
  readonly keys?: Record<string, string>
}

await untilBegin()
const url = process.env['DATABASE_URL'] ?? ''
const secret = process.env['TUTTI_SECRET'] ?? ''
const migrations = await migrate({ url, secret })
const database = openDatabase({ url, secret })
const made = await bootstrapDevelopment({ database })
await database[Symbol.asyncDispose]()
const prepared: Prepared = { migrations, ...(made.keys === undefined ? {} : { keys: made.keys }) }
process.send?.(prepared, () => process.disconnect())
