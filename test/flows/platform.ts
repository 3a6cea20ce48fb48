import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase } from '@tutti/prisma/testing'
import type { Role } from '@tutti/schema'
import {
  distributedEnvironment,
  distributedPlan,
  freePort,
  readEnvironment,
  type RunningTutti,
  standaloneEnvironment,
  standalonePlan,
  startTutti,
} from '@tutti/standalone'
import pg from 'pg'
import { type Caller, openCaller } from '../world/caller.ts'

/** The two ways of running Tutti. */
export type Topology = 'standalone' | 'distributed'

/** A Tutti of real processes, on a database of its own. */
export interface Platform extends AsyncDisposable {
  /** Of the door, without a path. */
  readonly url: string
  readonly tutti: RunningTutti
  /** Its `.tutti`. */
  readonly directory: string
  /** Its TUTTI_SECRET. */
  readonly secret: string
  /** Lines of the supervisor. */
  readonly said: readonly string[]
  /** Over HTTP and WebSocket with the development key of this role. */
  as(role: Role): Caller
  /** SQL as the owner, whom no policy binds. */
  sql<Row extends pg.QueryResultRow>(text: string, parameters?: unknown[]): Promise<Row[]>
  /** Likewise in a transaction that keeps its locks until it is disposed of, and changes nothing. */
  hold(text: string): Promise<AsyncDisposable>
}

/** How it differs from `npm start` on an empty directory. */
export interface PlatformOptions {
  /** The queue's Redis; PostgreSQL unless given. */
  redisUrl?: string
  /** Worker processes; one unless given. */
  workers?: number
  /** For all processes. They inherit ours: it is put into `process.env`, and taken out at the end. */
  environment?: Record<string, string>
}

/** Starts one, on a fresh database. */
export async function startPlatform(
  topology: Topology = 'standalone',
  { redisUrl, workers = 1, environment = {} }: PlatformOptions = {},
): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-flow-'))
  chmodSync(directory, 0o711)
  const database = await openTestDatabase()
  const owner = new pg.Pool({ connectionString: database.url, max: 3 })
  const port = await freePort()
  const given = {
    PORT: String(port),
    TUTTI_DIRECTORY: directory,
    TUTTI_SECRET: database.secret,
    DATABASE_URL: database.url,
    WORKERS: String(workers),
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...(environment['LOG_LEVEL'] === undefined ? {} : { LOG_LEVEL: environment['LOG_LEVEL'] }),
  }
  const before = { ...process.env }
  Object.assign(process.env, environment)
  const said: string[] = []
  const plan =
    topology === 'standalone'
      ? standalonePlan(readEnvironment(standaloneEnvironment, given))
      : await distributedPlan(readEnvironment(distributedEnvironment, given))
  const tutti = startTutti(plan, (line) => said.push(line))
  const callers = new Map<Role, Caller>()

  const stop = async (): Promise<void> => {
    for (const caller of callers.values()) await caller.close()
    await tutti.stop()
    for (const name of Object.keys(environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
    await owner.end()
    await database[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await tutti.ready
  } catch (error) {
    await stop()
    throw error
  }
  const url = `http://127.0.0.1:${port}`
  const keys = new Map<string, string>(
    Object.entries(JSON.parse(readFileSync(join(directory, 'keys.json'), 'utf8'))),
  )
  return {
    url,
    tutti,
    directory,
    secret: database.secret,
    said,
    as(role) {
      const caller = callers.get(role) ?? openCaller(url, keys.get(role) ?? null)
      callers.set(role, caller)
      return caller
    },
    sql: async (text, parameters = []) => (await owner.query(text, parameters)).rows,
    async hold(text) {
      const client = await owner.connect()
      try {
        await client.query('begin')
        await client.query(text)
      } catch (error) {
        client.release(true)
        throw error
      }
      return {
        async [Symbol.asyncDispose]() {
          await client.query('rollback')
          client.release()
        },
      }
    },
    [Symbol.asyncDispose]: stop,
  }
}
