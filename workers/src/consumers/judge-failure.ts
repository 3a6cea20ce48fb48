import { ERRORS, TuttiError } from '@tutti/schema'

/**
 * What a failure says of the event that was handled: `passing`, nothing (the database is not there, others were in the
 * way); `final`, that it fails however often it is tried; `unknown`, that more tries will tell.
 */
export type Judgement = 'passing' | 'final' | 'unknown'

// Connections, read-only standbys, transactions that met, resources, locks, shutdowns, the disk.
const PASSING = /^(08|25006|40|53|55|57|58)/
// Values that do not fit, what may not be empty or is forbidden, limits of the database.
const FINAL = /^(21|22|23502|23514|54)/
const SQL_STATE = /^[0-9A-Z]{5}$/
// Codes of Node and Prisma, and what pools say that have none.
const OUT_OF_REACH = /^(E(CONN|PIPE|TIMEDOUT|HOST|NET|NOTFOUND|AI_)|P10|P2024|P2034)/
const BROKEN =
  /^(connection terminated|client has encountered a connection error|timeout exceeded when trying to connect)|unable to start a transaction/i

/** Judges what a consumer threw. */
export function judgeFailure(error: unknown): Judgement {
  // A conflict is somebody else who was faster.
  if (error instanceof TuttiError) return error.retryable || error.code === 'CONFLICT' ? 'unknown' : 'final'
  const code = codeOf(error)
  // What the database says is judged by its state alone: its words may be a tenant's.
  if (isState(code)) return PASSING.test(code) ? 'passing' : FINAL.test(code) ? 'final' : 'unknown'
  const isBroken =
    OUT_OF_REACH.test(code) ||
    // The socket of a database on this machine that is not running.
    (code === 'ENOENT' && textIn(error, ['syscall']) === 'connect') ||
    (error instanceof Error && BROKEN.test(error.message))
  return isBroken ? 'passing' : 'unknown'
}

/** What may be said of a failure to the tenant: its code, and no word of what was handled. */
export function tellFailure(error: unknown): { code: string; message: string } {
  if (error instanceof TuttiError)
    return {
      code: error.code,
      message: [error.message, ...error.problems.map(({ path, message }) => `${path}: ${message}`)]
        .join(' ')
        .slice(0, 1_000),
    }
  const code = codeOf(error)
  return isState(code)
    ? { code: `SQLSTATE_${code}`, message: 'The database refuses it.' }
    : { code: 'INTERNAL', message: ERRORS.INTERNAL.message }
}

/** Prisma's codes are as long as states, and begin with a P and other digits. */
const isState = (code: string): boolean => SQL_STATE.test(code) && !/^P[12]/.test(code)

/** PostgreSQL's state, Prisma's or Node's code; empty where there is none. */
function codeOf(error: unknown): string {
  return (
    textIn(error, ['meta', 'driverAdapterError', 'cause', 'originalCode']) ?? textIn(error, ['code']) ?? ''
  )
}

function textIn(value: unknown, path: readonly string[]): string | undefined {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Reflect.get(found, name)
  }
  return typeof found === 'string' ? found : undefined
}
