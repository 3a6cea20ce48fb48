import { DOOR_OPTIONS, readOptions, TEXT } from '../input/read-options.ts'

/** The example's usage, as printed by --help and after a mistake. */
export const USAGE = `npm run example -- governed-refund [options]

  --report FILE  writes the report there too
  --url URL      the platform (default: the one \`npm start\` runs here)
  --key KEY      an API key with the role admin (default: TUTTI_API_KEY, then the development key)
  --help         this`

/** What the example is asked to do. Paths are as given. */
export interface Arguments {
  report: string | undefined
  url: string | undefined
  key: string | undefined
}

/** The command line as {@link Arguments}, or `help`; a mistake is an {@link InputMistake} that says which and what is possible. */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const { help, report, url, key } = readOptions(args, { report: TEXT, ...DOOR_OPTIONS }, USAGE)
  return help ? 'help' : { report, url, key }
}
