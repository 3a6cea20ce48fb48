import { startAnnouncer } from './log/announcer.ts'
import { openTail, type Tail } from './log/open-tail.ts'
import { type Database, type DatabaseOptions, openDatabase } from './tenancy/open-database.ts'

/** What a process needs of the data room: the database, the tail, and nudges to other processes. */
export interface Data extends AsyncDisposable {
  database: Database
  tail: Tail
  /** For readiness: throws when the database does not answer. */
  ping(): Promise<void>
}

/** Opens them in order; disposing closes them in reverse. */
export async function openData(options: DatabaseOptions): Promise<Data> {
  const database = openDatabase(options)
  const announcer = startAnnouncer(database)
  const tail = await openTail(database)
  return {
    database,
    tail,
    async ping() {
      await database.pool('api').query('select 1')
    },
    async [Symbol.asyncDispose]() {
      announcer.stop()
      await tail[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
