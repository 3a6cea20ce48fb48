import { join } from 'node:path'

import { readTextFile } from '../input/read-text-file.ts'
import type { Way } from './ways.ts'

/** The agent's document for a way, with each `$NAME` in it replaced by its value; one that has none stays. */
export function readDocument(way: Way, values: Readonly<Record<string, string>>): string {
  const document = readTextFile(join(import.meta.dirname, 'agents', `${way}.yaml`))
  return document.replaceAll(/\$([A-Z0-9_]+)/g, (whole, name: string) =>
    name in values ? JSON.stringify(values[name]) : whole,
  )
}
