import { parseArgs } from 'node:util'

import { InputMistake } from '../input/input-mistake.ts'

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
  const text = { type: 'string' } as const
  let values
  try {
    values = parseArgs({
      args: [...args],
      options: {
        report: text,
        url: text,
        key: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new InputMistake(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
  if (values.help) return 'help'
  const { report, url, key } = values
  for (const [name, value] of Object.entries({ report, url, key }))
    if (value === '') throw new InputMistake(`--${name}: it is empty.`)
  return { report, url, key }
}
