import { resolve } from 'node:path'

import { parse } from 'yaml'

import { InputMistake } from '../input/input-mistake.ts'
import { readTextFile } from '../input/read-text-file.ts'

/** What is to be written each time, under a name of its own. */
export interface Brief {
  name: string
  input: Record<string, unknown>
}

function isBrief(value: unknown): value is Brief {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    value.name !== '' &&
    'input' in value &&
    typeof value.input === 'object' &&
    value.input !== null &&
    !Array.isArray(value.input)
  )
}

/** Briefs of a YAML file: a list of `name` and `input`, at least one, no name twice. */
export function readBriefs(file: string): Brief[] {
  const path = resolve(file)
  let list: unknown
  try {
    list = parse(readTextFile(file))
  } catch (error) {
    if (error instanceof InputMistake) throw error
    throw new InputMistake(`${path}: it is not YAML. ${error instanceof Error ? error.message : ''}`)
  }
  if (!Array.isArray(list) || list.length === 0)
    throw new InputMistake(`${path}: a list of briefs is needed, each with "name" and "input".`)
  const briefs = list.map((value: unknown, index) => {
    if (isBrief(value)) return value
    throw new InputMistake(`${path}: brief ${index + 1} needs a "name" and an "input" of names and values.`)
  })
  const twice = briefs.find(({ name }, index) => briefs.findIndex((other) => other.name === name) !== index)
  if (twice) throw new InputMistake(`${path}: two briefs have the name "${twice.name}".`)
  return briefs
}
