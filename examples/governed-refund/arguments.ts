import { join } from 'node:path'

import { DOOR_OPTIONS, readOptions, TEXT } from '../input/read-options.ts'

const CHECKPOINTS =
  process.env['TUTTI_CHECKPOINTS'] ?? join(process.env['TUTTI_DIRECTORY'] ?? '.tutti', 'checkpoints.jsonl')

/** The example's usage, as printed by --help and after a mistake. */
export const USAGE = `npm run example -- governed-refund [options]

  --report FILE       writes the report there too
  --out DIR           where the exported record is put with all that verifies it (default: a temporary directory)
  --checkpoints FILE  where the platform keeps its checkpoints (default: as \`npm start\` here)
  --deadline TEXT     how long people have at the counter (default: 15s)
  --url URL           the platform (default: the one \`npm start\` runs here)
  --key KEY           an API key with the role admin (default: TUTTI_API_KEY, then the development key)
  --help              this`

/** What the example is asked to do. Paths are as given. */
export interface Arguments {
  report: string | undefined
  /** Undefined: a temporary directory. */
  out: string | undefined
  checkpoints: string
  /** A duration as the workflow's, as 15s. */
  deadline: string
  url: string | undefined
  key: string | undefined
}

/** The command line as {@link Arguments}, or `help`; a mistake is an {@link InputMistake} that says which and what is possible. */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const options = {
    report: TEXT,
    out: TEXT,
    checkpoints: { ...TEXT, default: CHECKPOINTS },
    deadline: { ...TEXT, default: '15s' },
    ...DOOR_OPTIONS,
  }
  const { help, report, out, checkpoints, deadline, url, key } = readOptions(args, options, USAGE)
  return help ? 'help' : { report, out, checkpoints, deadline, url, key }
}
