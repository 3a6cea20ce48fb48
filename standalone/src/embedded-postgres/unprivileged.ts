import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { StartError } from '../start-error.ts'

/** A program with its arguments and the user to start it as, ready for `spawn`. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly options: { readonly uid?: number; readonly gid?: number }
}

/** Who runs PostgreSQL: `owner` is undefined for an ordinary user (himself), set when we are root. */
export interface Unprivileged {
  readonly owner?: { readonly uid: number; readonly gid: number }
  command(file: string, args: readonly string[]): Command
}

/**
 * PostgreSQL refuses to run as root. As root, it runs as the user who owns `dataDirectory`, else as `postgres`, else as
 * `nobody`; nothing is added to the system. `paths` are what that user must reach: where a parent directory is closed to
 * him (a clone below /root), he is lent one capability, to pass and read (CAP_DAC_READ_SEARCH), for these programs only.
 */
export function unprivileged(dataDirectory: string, paths: readonly string[]): Unprivileged {
  if (process.getuid?.() !== 0) return { command: (file, args) => ({ file, args, options: {} }) }
  const owner = ownerOf(dataDirectory) ?? userNamed('postgres') ?? userNamed('nobody')
  if (owner === undefined) {
    throw new StartError(
      'POSTGRES_USER_MISSING',
      'PostgreSQL refuses to run as root, and there is no other user here.',
    )
  }
  const closed = paths.flatMap(parents).find((path) => !mayPass(path, owner))
  if (closed === undefined) return { owner, command: (file, args) => ({ file, args, options: owner }) }
  const lend = lendSearch(owner)
  if (lend === undefined) {
    throw new StartError(
      'POSTGRES_USER_MISSING',
      `PostgreSQL refuses to run as root, and user ${owner.uid}, whom it would run as, may not pass ${closed}.`,
    )
  }
  return {
    owner,
    command: (file, args) => ({ file: 'setpriv', args: [...lend, file, ...args], options: {} }),
  }
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid }
}

function userNamed(name: string): { uid: number; gid: number } | undefined {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }).trim())
  try {
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}

function parents(path: string): string[] {
  const above = dirname(resolve(path))
  return above === resolve(path) ? [above] : [...parents(above), above]
}

function mayPass(path: string, user: { uid: number; gid: number }): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return true
  if (found.uid === user.uid) return (found.mode & 0o100) !== 0
  return (found.mode & (found.gid === user.gid ? 0o010 : 0o001)) !== 0
}

// initdb looks with access(2), which forgets capabilities of a user other than root unless no_setuid_fixup is set.
function lendSearch(owner: { uid: number; gid: number }): string[] | undefined {
  const args = [
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    '--inh-caps=+dac_read_search',
    '--ambient-caps=+dac_read_search',
    '--securebits=+no_setuid_fixup',
  ]
  return spawnSync('setpriv', [...args, 'true'], { stdio: 'ignore' }).status === 0 ? args : undefined
}

/** Why `path` cannot be used by us, or undefined if it can (read, write, enter). */
export function accessProblem(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
