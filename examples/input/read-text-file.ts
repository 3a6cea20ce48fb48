import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { InputMistake } from './input-mistake.ts'

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory, not a file',
  EACCES: 'it may not be read by you',
}

/** A UTF-8 file without its byte order mark; whatever prevents that is an {@link InputMistake} that names the full path. */
export function readTextFile(path: string): string {
  const full = resolve(path)
  let bytes: Buffer
  try {
    bytes = readFileSync(full)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new InputMistake(`Cannot read ${full}: ${REASONS[code] ?? code}.`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InputMistake(`Cannot read ${full}: it is not UTF-8 text. Save it as UTF-8 and try again.`)
  }
}
