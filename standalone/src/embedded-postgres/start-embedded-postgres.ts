import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, isFree } from '../free-port.ts'
import { lockDirectory } from '../lock-directory.ts'
import { isAlive } from '../process-table.ts'
import { StartError } from '../start-error.ts'
import { inspectDataDirectory, type Marker } from './data-directory.ts'
import { DATABASE, initialiseDataDirectory } from './initialise-data-directory.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { findSurvivor, type Postmaster, readPostmaster, stopPostmaster } from './postmaster.ts'
import { type Unprivileged, unprivileged } from './unprivileged.ts'

/** How to start: `directory` (`.tutti`) is created when missing, `log` gets one line for people at a time. */
export interface EmbeddedPostgresOptions {
  readonly directory: string
  readonly log?: (line: string) => void
  /** More settings for this start only, such as `fsync=off` in tests. */
  readonly settings?: readonly string[]
  /** Set by a caller that holds the lock of `directory` already. */
  readonly locked?: boolean
}

/** A running PostgreSQL of our own. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgres://` URL of the superuser on the database `tutti`, on 127.0.0.1. */
  readonly url: string
  /** The same by its socket, for processes of ours on this machine: a statement costs less; {@link url} where it has none. */
  readonly socketUrl: string
  readonly pid: number
  /** True when this start made the data directory. */
  readonly fresh: boolean
  /** True when it is the survivor of a Tutti that was killed. */
  readonly adopted: boolean
  /** Settles when the process ends, however it does. */
  readonly ended: Promise<void>
  /** Ends it (fast shutdown) and gives the directory free. Calling it twice is fine. */
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL in `directory`/postgres, in a session of its own so that Ctrl-C reaches us first. Data of an earlier
 * start is found again; a survivor of kill -9 is adopted. Throws {@link StartError}s, and then has changed nothing.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log = () => {} } = options
  const unlock = options.locked === true ? () => {} : lockDirectory(options.directory)
  try {
    const home = realpathSync(options.directory)
    const directory = join(home, 'postgres')
    const found = inspectDataDirectory(directory)
    const survivor = found === undefined ? undefined : await adoptOrStop(directory, log)
    const binaries = await postgresBinaries()
    const as = unprivileged(directory, [directory, binaries.postgres])
    if (found === undefined) log('making the database (first start)')
    const marker = found ?? (await initialiseDataDirectory(directory, binaries, as))
    const running =
      survivor ?? (await launch({ home, directory, program: binaries.postgres, as, log, options }))
    const url = urlOf(marker, running.port)
    writeFileSync(join(home, 'postgres.url'), `${url}\n`, { mode: 0o600 })
    const stop = once(async () => {
      await stopPostmaster(running.pid)
      unlock()
    })
    const socket = existsSync(socketOf(directory, running.port))
    return {
      url,
      socketUrl: socket ? `${url}?host=${encodeURIComponent(directory)}` : url,
      pid: running.pid,
      fresh: found === undefined,
      adopted: survivor !== undefined,
      ended: whenEnded(running.pid),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    unlock()
    throw error
  }
}

async function adoptOrStop(directory: string, log: (line: string) => void): Promise<Postmaster | undefined> {
  const survivor = findSurvivor(directory)
  if (survivor === undefined) return undefined
  if (survivor.status === 'ready') {
    log(`PostgreSQL of an earlier start still runs (process ${survivor.pid}): taken over`)
    return survivor
  }
  log(
    `PostgreSQL of an earlier start is ${survivor.status || 'half awake'} (process ${survivor.pid}): stopping it`,
  )
  await stopPostmaster(survivor.pid)
  return undefined
}

// Lines of a start that say nothing about why it failed, and words by which PostgreSQL tells of damaged files.
const BORING =
  /LOG: {2}(starting PostgreSQL|listening on|database system (was shut|is shut|is ready)|shutting down)/
const DAMAGE =
  /PANIC|pg_control|control file|checkpoint record|incompatible|corrupt|invalid (page|record|data|magic)|could not (open|read|access|locate|find)|bogus|is missing/i

interface Launch {
  home: string
  directory: string
  program: string
  as: Unprivileged
  log: (line: string) => void
  options: EmbeddedPostgresOptions
}

async function launch(launch: Launch): Promise<Postmaster> {
  const logs = join(launch.home, 'log')
  mkdirSync(logs, { recursive: true })
  const logFile = join(logs, 'postgres.log')
  let port = await lastPort(launch.home)
  for (let attempt = 1; ; attempt++) {
    const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
    const started = await launchOn(port, launch, logFile)
    if (started !== undefined) return started
    const said = readFileSync(logFile).subarray(logStart).toString()
    // Somebody took the port between our look and PostgreSQL's bind.
    if (/could not bind|could not create any TCP\/IP sockets/.test(said) && attempt < 4) {
      port = await freePort()
      continue
    }
    const told = said.split('\n').filter((line) => line !== '' && !BORING.test(line))
    const reason = told.slice(-6).join('\n')
    const damaged = DAMAGE.test(reason)
    throw new StartError(
      damaged ? 'DATA_DIRECTORY_DAMAGED' : 'POSTGRES_DID_NOT_START',
      `PostgreSQL does not start on ${launch.directory} (log: ${logFile}):\n${reason}`,
    )
  }
}

// Undefined when it ended before it was ready. Recovery after a crash may take its time: as long as it lives we wait.
async function launchOn(port: number, launch: Launch, logFile: string): Promise<Postmaster | undefined> {
  const settings = [
    'listen_addresses=127.0.0.1',
    // In the directory of the data, which nobody else may enter.
    `unix_socket_directories=${mayHoldSocket(launch.directory, port) ? launch.directory : ''}`,
    'log_destination=stderr',
    'logging_collector=off',
    ...(launch.options.settings ?? []),
  ]
  const { file, args, options } = launch.as.command(launch.program, [
    '-D',
    launch.directory,
    '-p',
    String(port),
    ...settings.flatMap((setting) => ['-c', setting]),
  ])
  const output = openSync(logFile, 'a', 0o600)
  const child = spawn(file, args, {
    ...options,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, LC_ALL: undefined, LC_MESSAGES: 'C', PGDATA: undefined },
  })
  closeSync(output)
  let ended = false
  child.on('exit', () => (ended = true))
  child.on('error', () => (ended = true))
  child.unref()
  const began = Date.now()
  let told = false
  while (!ended) {
    const found = readPostmaster(launch.directory)
    if (found?.pid === child.pid && found?.status === 'ready') return found
    if (!told && Date.now() - began > 3000) {
      told = true
      launch.log(`PostgreSQL is recovering (log: ${logFile})`)
    }
    await sleep(5)
  }
  return undefined
}

/** Where PostgreSQL puts a socket, and libpq and pg look for it. */
const socketOf = (directory: string, port: number): string => join(directory, `.s.PGSQL.${port}`)

/** Bytes of a socket's path, on the system that takes the fewest. */
const LONGEST_SOCKET_PATH = 103

// Node opens no such socket on Windows, and a comma would end the directory's name.
const mayHoldSocket = (directory: string, port: number): boolean =>
  process.platform !== 'win32' &&
  !/[,"]/.test(directory) &&
  Buffer.byteLength(socketOf(directory, port)) <= LONGEST_SOCKET_PATH

// The same port as last time if it is free, so that what people noted down keeps working.
async function lastPort(home: string): Promise<number> {
  try {
    const port = Number(new URL(readFileSync(join(home, 'postgres.url'), 'utf8').trim()).port)
    if (port > 0 && (await isFree(port, '127.0.0.1'))) return port
  } catch {
    // none yet
  }
  return freePort()
}

function urlOf(marker: Marker, port: number): string {
  return `postgres://postgres:${marker.password}@127.0.0.1:${port}/${DATABASE}`
}

// Also works for a survivor, which is not our child and tells us nothing when it ends.
async function whenEnded(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(200, undefined, { ref: false })
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
