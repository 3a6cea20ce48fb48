import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../start-error.ts'
import { accessProblem } from './unprivileged.ts'

/** The major version of the PostgreSQL we ship. */
export const POSTGRES_MAJOR = '18'

/** Name of the file by which we know a data directory as our own; it also keeps the owner's password (mode 0600). */
export const MARKER = 'tutti.json'

/** What {@link MARKER} says. */
export interface Marker {
  readonly createdBy: 'tutti'
  readonly password: string
}

// Without these, PostgreSQL either refuses to start or, worse, starts something that is not the data.
const VITAL = [
  'PG_VERSION',
  'global/pg_control',
  'base',
  'pg_wal',
  'pg_xact',
  'postgresql.conf',
  'pg_hba.conf',
]

/**
 * Looks at a data directory without touching it: undefined when there is none yet, its marker when it is ours and looks
 * whole. Throws DATA_DIRECTORY_FOREIGN, _OWNER, _VERSION or _DAMAGED.
 */
export function inspectDataDirectory(directory: string): Marker | undefined {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (!found.isDirectory()) throw new StartError('DATA_DIRECTORY_FOREIGN', `${directory} is not a directory.`)
  const uid = process.getuid?.()
  const closed = accessProblem(directory)
  if (uid !== 0 && (closed !== undefined || (uid !== undefined && found.uid !== uid))) {
    throw new StartError(
      'DATA_DIRECTORY_OWNER',
      `${directory} belongs to user ${found.uid}, and you are user ${uid}.`,
    )
  }
  if (readdirSync(directory).length === 0) return undefined
  const marker = readMarker(join(directory, MARKER))
  if (marker === undefined) {
    throw new StartError('DATA_DIRECTORY_FOREIGN', `${directory} holds something that is not Tutti's data.`)
  }
  const missing = VITAL.filter((path) => !existsSync(join(directory, path)))
  if (missing.length > 0) {
    throw new StartError(
      'DATA_DIRECTORY_DAMAGED',
      `${directory} is damaged: ${missing.join(', ')} is missing.`,
    )
  }
  const version = readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim()
  if (version !== POSTGRES_MAJOR) {
    throw new StartError(
      'DATA_DIRECTORY_VERSION',
      `${directory} was written by PostgreSQL ${version || '(unreadable)'}; this is PostgreSQL ${POSTGRES_MAJOR}.`,
    )
  }
  return marker
}

function readMarker(file: string): Marker | undefined {
  try {
    const marker: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof marker !== 'object' || marker === null) return undefined
    if (!('createdBy' in marker) || marker.createdBy !== 'tutti') return undefined
    if (!('password' in marker) || typeof marker.password !== 'string') return undefined
    return { createdBy: 'tutti', password: marker.password }
  } catch {
    return undefined
  }
}
