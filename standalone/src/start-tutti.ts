import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { authorityOf } from './authority-of.ts'
import { claimPort } from './claim-port.ts'
import { keepPostgres } from './embedded-postgres/keep-postgres.ts'
import { keepSecret } from './keep-secret.ts'
import { directoryHolder, lockDirectory } from './lock-directory.ts'
import { runOnce } from './run-once.ts'
import { StartError } from './start-error.ts'
import { startingScreen } from './starting-screen.ts'
import { type ChildSpec, supervise, type Supervisor } from './supervision/supervise.ts'

/** What to start, and where. */
export interface Plan {
  /** Absolute path of the directory for lock, secret, keys, logs and the database if it is ours. */
  readonly directory: string
  readonly host: string
  /** Of the public door. */
  readonly port: number
  /** Without it we bring a PostgreSQL of our own. */
  readonly databaseUrl?: string | undefined
  /** TUTTI_SECRET; without it one is made and kept. */
  readonly secret?: string | undefined
  /** Module that migrates, answers with new keys if it made any, and ends. */
  readonly prepare: string
  /** The processes to keep alive; `environment` is for those that cannot wait for it. */
  processes(environment: Record<string, string>): readonly ChildSpec[]
  /** True when the processes load their code first and then wait (`untilBegin`): they start at once. */
  readonly eager: boolean
}

/** Things to undo, last done first. */
type Undo = (() => Promise<void> | void)[]

/** A whole Tutti on this machine. */
export interface RunningTutti {
  /** What to show when it is ready; rejects with a {@link StartError} when it does not come up. */
  readonly ready: Promise<string>
  /** Drains the processes, then stops the database. Safe at any moment, also while it is still starting. */
  stop(): Promise<void>
  /** Ends the processes at once; `stop` then only has the database left to end. */
  kill(): void
  /** Process ids by name (`door`, `worker`, …), those that run at this moment; the supervisor is this process. */
  pids(): Record<string, number>
}

/**
 * Starts everything: database, migrations, development organization, then the processes. Looks first whether it may
 * (port, lock), and touches nothing before that.
 */
export function startTutti(plan: Plan, log: (line: string) => void): RunningTutti {
  const undo: Undo = []
  const halt = new AbortController()
  const kills: (() => void)[] = []
  const ready = start()
  ready.catch(() => {})
  let stopped: Promise<void> | undefined
  let supervisor: Supervisor | undefined
  return {
    ready,
    kill: () => kills.forEach((kill) => kill()),
    pids: () => supervisor?.pids() ?? {},
    stop: () =>
      (stopped ??= (async () => {
        halt.abort(new Error('stopped'))
        await ready.catch(() => {})
        for (const step of undo.toReversed()) await step()
      })()),
  }

  async function start(): Promise<string> {
    const began = performance.now()
    const { directory } = plan
    await mayStart(plan)
    undo.push(lockDirectory(directory))
    const secret = plan.secret ?? keepSecret(directory)

    // The processes load their code while the database comes up; what they need to know is sent when it is known.
    const database = Promise.withResolvers<Record<string, string>>()
    const prepared = Promise.withResolvers<Record<string, string>>()
    for (const { promise } of [database, prepared]) promise.catch(() => {})
    const preparation = runOnce(plan.prepare, { settings: database.promise })
    kills.push(() => preparation.kill())
    undo.push(() => preparation.kill())
    const begin = (environment: Record<string, string>) => {
      const specs = plan.processes(environment).map((spec) => ({ ...spec, settings: prepared.promise }))
      const started = supervise(specs, { logDirectory: join(directory, 'log'), log })
      supervisor = started
      kills.push(() => started.kill())
      undo.push(() => started.stop())
      return started
    }

    try {
      const early = plan.eager ? begin({}) : undefined
      const url = plan.databaseUrl ?? (await embedded(directory))
      if (halt.signal.aborted) throw halt.signal.reason
      const settings = {
        DATABASE_URL: url,
        TUTTI_SECRET: secret,
        TUTTI_DIRECTORY: directory,
        TUTTI_CACHE_DIRECTORY: process.env['TUTTI_CACHE_DIRECTORY'] ?? join(directory, 'cache'),
        TUTTI_CHECKPOINTS: process.env['TUTTI_CHECKPOINTS'] ?? join(directory, 'checkpoints.jsonl'),
      }
      database.resolve(settings)
      // A process that cannot even load its code need not wait for the database to say so.
      const failed = early?.ready.then(() => new Promise<never>(() => {})) ?? new Promise<never>(() => {})
      const keys = keysOf(await interruptible(Promise.race([preparation.answer.catch(notReady), failed])))
      const keysFile = join(directory, 'keys.json')
      if (keys !== undefined) writePrivate(keysFile, keys)
      prepared.resolve(settings)
      const running = early ?? begin(settings)
      await interruptible(running.ready)
      writeDoor(directory)
      return startingScreen({
        authority: authorityOf(plan),
        directory,
        database: plan.databaseUrl === undefined ? join(directory, 'postgres') : new URL(url).host,
        processes: Object.keys(running.pids()),
        ...(keys === undefined ? {} : { keys }),
        keysFile,
        keysKept: existsSync(keysFile),
        seconds: (performance.now() - began) / 1000,
      })
    } catch (error) {
      database.reject(error)
      prepared.reject(error)
      throw error
    }
  }

  async function embedded(directory: string): Promise<string> {
    const postgres = await keepPostgres({ directory, log, locked: true })
    // Stops last of all but the lock: below the processes in the order of undoing.
    undo.splice(1, 0, () => postgres.stop())
    return postgres.url
  }

  function writeDoor(directory: string): void {
    const file = join(directory, 'door.json')
    writePrivate(file, { url: `http://${authorityOf(plan)}/graphql` })
    undo.push(() => rmSync(file, { force: true }))
  }

  function interruptible<T>(work: Promise<T>): Promise<T> {
    const interrupted = new Promise<never>((_, reject) => {
      if (halt.signal.aborted) reject(halt.signal.reason)
      else halt.signal.addEventListener('abort', () => reject(halt.signal.reason), { once: true })
    })
    return Promise.race([work, interrupted])
  }
}

async function mayStart({ directory, port, host }: Plan): Promise<void> {
  const holder = directoryHolder(directory)
  if (holder !== undefined) {
    throw new StartError('ALREADY_RUNNING', `Tutti already runs in ${directory} (process ${holder}).`)
  }
  // A lock without a holder: the one before was killed, and its door may need a moment to notice.
  await claimPort(port, host, existsSync(join(directory, 'lock')) ? 4000 : 0)
}

function notReady(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error)
  throw new StartError('DATABASE_NOT_READY', `The database could not be prepared:\n${reason}`, {
    cause: error,
  })
}

function keysOf(answer: unknown): Record<string, string> | undefined {
  if (typeof answer !== 'object' || answer === null || !('keys' in answer)) return undefined
  const { keys } = answer
  if (typeof keys !== 'object' || keys === null) return undefined
  return Object.fromEntries(Object.entries(keys).map(([role, key]) => [role, String(key)]))
}

function writePrivate(file: string, content: object): void {
  // Removed first: the mode counts only for a file that is made.
  rmSync(file, { force: true })
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
}
