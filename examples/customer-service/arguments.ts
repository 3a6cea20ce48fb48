import { join } from 'node:path'

import { InputMistake } from '../input/input-mistake.ts'
import { DOOR_OPTIONS, readOptions, TEXT } from '../input/read-options.ts'

const HERE = import.meta.dirname

/** The example's usage, as printed by --help and after a mistake. */
export const USAGE = `npm run example -- customer-service [options]

  --messages FILE   your customer messages: JSONL or CSV with a column "text" (id, channel, customer if you like)
  --examples FILE   labelled messages the intent classifier learns from: CSV or JSONL with "text" and "category"
  --knowledge DIR   your articles: a directory of Markdown files
  --limit N         only the first N messages
  --url URL         the platform (default: the one \`npm start\` runs here)
  --key KEY         an API key with the role admin or operator (default: TUTTI_API_KEY, then the development key)
  --help            this`

/** What the example is asked to do. Paths are as given. */
export interface Arguments {
  messages: string
  examples: string
  knowledge: string
  /** Whether the messages are the example's own, for which it is known who should answer each. */
  ownMessages: boolean
  limit?: number
  url?: string
  key?: string
}

/** The command line as {@link Arguments}, or `help`; a mistake is an {@link InputMistake} that says which and what is possible. */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const values = readOptions(
    args,
    { messages: TEXT, examples: TEXT, knowledge: TEXT, limit: TEXT, ...DOOR_OPTIONS },
    USAGE,
  )
  if (values.help) return 'help'
  let limit: number | undefined
  if (values.limit !== undefined) {
    limit = Number(values.limit)
    if (!Number.isInteger(limit) || limit < 1)
      throw new InputMistake(`--limit: a whole number of at least 1 is needed, not "${values.limit}".`)
  }
  return {
    messages: values.messages ?? join(HERE, 'messages.jsonl'),
    examples: values.examples ?? join(HERE, 'intents.csv'),
    knowledge: values.knowledge ?? join(HERE, 'knowledge'),
    ownMessages: values.messages === undefined,
    limit,
    url: values.url,
    key: values.key,
  }
}
