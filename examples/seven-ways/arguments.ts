import { InputMistake } from '../input/input-mistake.ts'
import { DOOR_OPTIONS, readOptions, TEXT } from '../input/read-options.ts'
import { isWay, type Way, WAYS } from './ways.ts'

/** The example's usage, as printed by --help and after a mistake. */
export const USAGE = `npm run example -- seven-ways [options]

  --way NAME    only this way, more than once for several: ${WAYS.join(', ')}
  --by-hand     you are the person: decide in GraphiQL
  --model NAME  a model that the platform knows, as gpt-4-turbo where OPENAI_BASE_URL is set (default: a small server of the example)
  --url URL     the platform (default: the one \`npm start\` runs here)
  --key KEY     an API key with the role admin (default: TUTTI_API_KEY, then the development key)
  --help        this`

/** What the example is asked to do. */
export interface Arguments {
  ways: readonly Way[]
  byHand: boolean
  /** Undefined: the example's own. */
  model: string | undefined
  url: string | undefined
  key: string | undefined
}

/** The command line as {@link Arguments}, or `help`; a mistake is an {@link InputMistake} that says which and what is possible. */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const options = {
    way: { ...TEXT, multiple: true },
    'by-hand': { type: 'boolean', default: false },
    model: TEXT,
    ...DOOR_OPTIONS,
  } as const
  const { help, way: asked = [], 'by-hand': byHand, model, url, key } = readOptions(args, options, USAGE)
  if (help) return 'help'
  const strange = asked.filter((name) => !isWay(name))
  if (strange.length > 0)
    throw new InputMistake(`--way: there is no "${strange.join('", "')}". There is: ${WAYS.join(', ')}`)
  const ways = asked.length === 0 ? WAYS : WAYS.filter((way) => asked.includes(way))
  return { ways, byHand, model, url, key }
}
