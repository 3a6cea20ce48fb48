import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

import { InputMistake } from './input-mistake.ts'

/** An option with a text. */
export const TEXT = { type: 'string' } as const

/** What every example takes: which platform, and --help. */
export const DOOR_OPTIONS = { url: TEXT, key: TEXT, help: { type: 'boolean', short: 'h' } } as const

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options }>
>['values']

/** The options of a command line. What is unknown, empty or lacks its text is an {@link InputMistake}. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  usage: string,
): Values<Options> {
  let values: Values<Options>
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new InputMistake(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  }
  for (const [name, value] of Object.entries(values))
    if (value === '') throw new InputMistake(`--${name}: it is empty.`)
  return values
}
