import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine, isAlive } from '../process-table.ts'
import { StartError } from '../start-error.ts'

/** What a running PostgreSQL says of itself in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number
  readonly directory: string
  readonly port: number
  /** `starting`, `ready`, `stopping`. */
  readonly status: string
}

/** Reads `postmaster.pid` of a data directory; undefined when there is none or it is still being written. */
export function readPostmaster(directory: string): Postmaster | undefined {
  try {
    const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')
    const pid = Number(lines[0])
    const port = Number(lines[3])
    if (!Number.isInteger(pid) || pid <= 0) return undefined
    return { pid, directory: lines[1] ?? '', port, status: (lines[7] ?? '').trim() }
  } catch {
    return undefined
  }
}

/**
 * The PostgreSQL that already serves this directory: a survivor of a killed Tutti. The pid alone proves nothing (it may
 * have been given to another program since): it must be a `postgres` that was started on this very directory.
 */
export function findSurvivor(directory: string): Postmaster | undefined {
  const found = readPostmaster(directory)
  if (found === undefined || found.directory !== directory || !isAlive(found.pid)) return undefined
  const command = commandLine(found.pid) ?? ''
  return command.includes('postgres') && command.includes(directory) ? found : undefined
}

/**
 * Ends a PostgreSQL and waits until it is gone: `fast` first (open transactions roll back, a checkpoint is written), after
 * `patience` ms `immediate` (the next start recovers from the log). Throws POSTGRES_DID_NOT_STOP if even that fails.
 */
export async function stopPostmaster(pid: number, patience = 30_000): Promise<void> {
  for (const [signal, wait] of [
    ['SIGINT', patience],
    ['SIGQUIT', 10_000],
  ] as const) {
    if (!signalled(pid, signal)) return
    const until = Date.now() + wait
    while (Date.now() < until) {
      if (!isAlive(pid)) return
      await sleep(10)
    }
  }
  throw new StartError('POSTGRES_DID_NOT_STOP', `PostgreSQL (process ${pid}) did not stop.`)
}

function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}
