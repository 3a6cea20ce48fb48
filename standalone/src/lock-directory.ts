import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, startedAt } from './process-table.ts'
import { StartError } from './start-error.ts'

/**
 * Makes `directory` (created when missing, readable by its owner only) this process's own until the returned function
 * is called. Throws ALREADY_RUNNING while another live process holds it; a lock whose holder died is taken over.
 */
export function lockDirectory(directory: string): () => void {
  createPrivateDirectory(directory)
  const lock = join(directory, 'lock')
  const mine = JSON.stringify({ pid: process.pid, startedAt: startedAt(process.pid) })
  const draft = join(directory, `lock.${process.pid}`)
  writeFileSync(draft, mine, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (tryLink(draft, lock)) {
        return () => {
          if (readLock(lock) === mine) rmSync(lock, { force: true })
        }
      }
      const held = readLock(lock)
      if (held === undefined) continue
      const holder = holderOf(held)
      if (holder !== undefined) {
        throw new StartError('ALREADY_RUNNING', `Tutti already runs in ${directory} (process ${holder}).`)
      }
      takeAway(lock, held, `${draft}.stale`)
    }
  } finally {
    rmSync(draft, { force: true })
  }
  throw new StartError(
    'ALREADY_RUNNING',
    `Several processes are starting Tutti in ${directory} at this moment.`,
  )
}

/** The pid that holds the lock of `directory`, if that process lives. */
export function directoryHolder(directory: string): number | undefined {
  const held = readLock(join(directory, 'lock'))
  return held === undefined ? undefined : holderOf(held)
}

function createPrivateDirectory(directory: string): void {
  try {
    // Root runs PostgreSQL as another user, who has to pass through (x) but not to look around (r).
    mkdirSync(directory, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
    const probe = join(directory, `probe.${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new StartError('DIRECTORY_UNUSABLE', `${directory} cannot be used: ${reason(error)}`, {
      cause: error,
    })
  }
}

function tryLink(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

// Two starters may see the same stale lock: moving it away tells which of them did it, and if what was moved is not
// the stale one (the other was quicker and has locked already) it goes back.
function takeAway(lock: string, stale: string, aside: string): void {
  try {
    renameSync(lock, aside)
  } catch {
    return
  }
  if (readLock(aside) !== stale) tryLink(aside, lock)
  rmSync(aside, { force: true })
}

function readLock(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8')
  } catch {
    return undefined
  }
}

function holderOf(held: string): number | undefined {
  try {
    const lock: unknown = JSON.parse(held)
    if (typeof lock !== 'object' || lock === null || !('pid' in lock) || typeof lock.pid !== 'number')
      return undefined
    if (!isAlive(lock.pid)) return undefined
    const began = 'startedAt' in lock ? lock.startedAt : undefined
    return began === undefined || began === startedAt(lock.pid) ? lock.pid : undefined
  } catch {
    return undefined
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
