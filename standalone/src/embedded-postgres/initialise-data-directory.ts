import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StartError } from '../start-error.ts'
import { MARKER, type Marker } from './data-directory.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import type { Unprivileged } from './unprivileged.ts'

/** Name of the database made in every new data directory. */
export const DATABASE = 'tutti'

// Written into postgresql.conf once, so that an owner may change them there.
const SETTINGS = {
  max_connections: '200',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  min_wal_size: '80MB',
  checkpoint_timeout: '10min',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  password_encryption: 'scram-sha-256',
  random_page_cost: '1.1',
  jit: 'off', // short statements: compiling them costs more than it saves, in time and memory
  io_workers: '1',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %q%u ',
}

/**
 * Makes a new cluster at `directory` with an empty database {@link DATABASE}: beside it first, then renamed, so that an
 * interrupted attempt leaves nothing that looks like data. Returns the marker it left there.
 */
export async function initialiseDataDirectory(
  directory: string,
  binaries: PostgresBinaries,
  as: Unprivileged,
): Promise<Marker> {
  const prefix = `${basename(directory)}.initialising.`
  const above = dirname(directory)
  // Leftovers of attempts that were killed: never held anything. We hold the directory's lock, so nobody is at it.
  for (const name of readdirSync(above)) {
    if (name.startsWith(prefix)) rmSync(join(above, name), { recursive: true, force: true })
  }
  const draft = join(above, `${prefix}${process.pid}`)
  const passwordFile = `${draft}.password`
  const marker: Marker = { createdBy: 'tutti', password: randomBytes(24).toString('base64url') }
  try {
    mkdirSync(draft, { mode: 0o700 })
    writeOwned(passwordFile, `${marker.password}\n`, as)
    if (as.owner !== undefined) chownSync(draft, as.owner.uid, as.owner.gid)
    await run(binaries.initdb, initdbArguments(draft, passwordFile), as)
    await run(binaries.postgres, ['--single', '-D', draft, 'postgres'], as, `create database ${DATABASE}\n`)
    writeOwned(join(draft, MARKER), JSON.stringify(marker), as)
    rmdirIfThere(directory)
    renameSync(draft, directory)
    return marker
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

function initdbArguments(directory: string, passwordFile: string): string[] {
  return [
    `--pgdata=${directory}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The built-in provider sorts the same on every machine and after every upgrade of the system's libraries.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    // Full-text search asks the system what a letter is.
    `--lc-ctype=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
    '--no-instructions',
    ...Object.entries(SETTINGS).map(([name, value]) => `--set=${name}=${value}`),
  ]
}

function writeOwned(file: string, text: string, as: Unprivileged): void {
  writeFileSync(file, text, { mode: 0o600 })
  if (as.owner !== undefined) chownSync(file, as.owner.uid, as.owner.gid)
}

// An empty directory made by somebody beforehand (a mount, mkdir) may be replaced; a full one never gets here.
function rmdirIfThere(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

async function run(program: string, args: readonly string[], as: Unprivileged, input = ''): Promise<void> {
  const { file, args: all, options } = as.command(program, args)
  const child = spawn(file, all, {
    ...options,
    stdio: 'pipe',
    detached: true,
    env: { ...process.env, LC_ALL: 'C' },
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdin.on('error', () => {}) // it ended before it read: its exit code tells
  child.stdin.end(input)
  const code = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'))
  })
  if (code === 0 && !/\b(FATAL|ERROR|PANIC):/.test(said)) return
  throw new StartError(
    'POSTGRES_INITIALISE_FAILED',
    `${basename(program)} could not make the data directory (${code}).\n${said.trim().split('\n').slice(-6).join('\n')}`,
  )
}
