import { join } from 'node:path'

import { DOOR_OPTIONS, readOptions, TEXT } from '../input/read-options.ts'

const HERE = import.meta.dirname

/** The example's usage, as printed by --help and after a mistake. */
export const USAGE = `npm run example -- content-creation [options]

  --briefs FILE     what is to be written, and for whom: YAML, as briefs.yaml
  --feed FILE       the posts in which trends are looked for: JSONL with days_ago, audience, text
  --cron EXPR       when the briefs are written from now on (default: 0 9 * * *, daily at nine)
  --time-zone ZONE  of these times (default: UTC)
  --url URL         the platform (default: the one \`npm start\` runs here)
  --key KEY         an API key with the role admin or operator (default: TUTTI_API_KEY, then the development key)
  --help            this`

/** What the example is asked to do. Paths are as given. */
export interface Arguments {
  briefs: string
  feed: string
  cron: string
  timeZone: string
  url: string | undefined
  key: string | undefined
}

/** The command line as {@link Arguments}, or `help`; a mistake is an {@link InputMistake} that says which and what is possible. */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const {
    help,
    'time-zone': timeZone,
    ...values
  } = readOptions(
    args,
    {
      briefs: { ...TEXT, default: join(HERE, 'briefs.yaml') },
      feed: { ...TEXT, default: join(HERE, 'feed.jsonl') },
      cron: { ...TEXT, default: '0 9 * * *' },
      'time-zone': { ...TEXT, default: 'UTC' },
      ...DOOR_OPTIONS,
    },
    USAGE,
  )
  return help ? 'help' : { url: undefined, key: undefined, timeZone, ...values }
}
