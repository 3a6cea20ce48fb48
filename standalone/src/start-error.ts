/**
 * Everything that can keep Tutti from starting on this machine: code → what to do about it.
 * Each ends the process with exit code 1; none of them touches what it found.
 */
export const START_ERRORS = {
  PORT_TAKEN: 'Stop the other program, or choose another port: PORT=4001 npm start',
  ENVIRONMENT_INVALID: 'Mend the variables named above; docs/operations.md lists all of them.',
  DIRECTORY_UNUSABLE: 'Choose a directory you may write to: TUTTI_DIRECTORY=/path/of/yours npm start',
  ALREADY_RUNNING:
    'One Tutti per directory. Use the one that runs, stop it, or give this one a directory of its own (TUTTI_DIRECTORY).',
  POSTGRES_BINARIES_MISSING:
    'Run `npm ci` again with install scripts allowed, or bring your own server: DATABASE_URL=postgres://… npm start',
  POSTGRES_USER_MISSING:
    'Start Tutti as an ordinary user, or bring your own server: DATABASE_URL=postgres://… npm start',
  POSTGRES_INITIALISE_FAILED:
    'Read the reason above. Nothing was kept of the attempt; starting again is safe.',
  DATA_DIRECTORY_FOREIGN:
    'Tutti did not create it and leaves it alone. Move it away, or choose another place: TUTTI_DIRECTORY=/path/of/yours npm start',
  DATA_DIRECTORY_OWNER: 'Start Tutti as the user who created the directory.',
  DATA_DIRECTORY_VERSION:
    'Start it with the Tutti that wrote it, or dump it with that version and load it into a new directory.',
  DATA_DIRECTORY_DAMAGED:
    'Restore the directory from a backup, or move it away to start afresh. Nothing in it was changed.',
  POSTGRES_DID_NOT_START: 'Read the reason above and the log it names. Nothing was changed or deleted.',
  POSTGRES_DID_NOT_STOP: 'Look at the process named above; it still holds the data directory.',
  DATABASE_NOT_READY: 'Read the reason above. The data is as it was; starting again is safe.',
  CHILD_DID_NOT_START: 'Read the reason above and the log it names.',
} as const

/** A code of {@link START_ERRORS}. */
export type StartErrorCode = keyof typeof START_ERRORS

/** A failure to start that a person can mend: code, one sentence of what is wrong, and what to do (`hint`). */
export class StartError extends Error {
  readonly code: StartErrorCode
  readonly hint: string

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.code = code
    this.hint = START_ERRORS[code]
  }
}

/** The text a terminal shows for a failed start: code and sentence, then the hint. Unknown errors keep their stack. */
export function describeStartFailure(error: unknown): string {
  if (error instanceof StartError) return `${error.code}: ${error.message}\n${error.hint}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
