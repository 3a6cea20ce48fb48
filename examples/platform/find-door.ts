import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { InputMistake } from '../input/input-mistake.ts'

/** Where the platform answers, and the key to come in with. */
export interface Door {
  url: string
  key: string
  /** Where this is known from, for messages about it. */
  keySource: string
}

/** What the person said on the command line or in the environment; all of it optional. */
export interface DoorHints {
  url?: string | undefined
  key?: string | undefined
  /** Role whose development key is taken when none is named. */
  role: 'admin' | 'operator'
}

function readJson(path: string): Map<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  } catch (error) {
    throw new InputMistake(`Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * The platform's address and a key: the option first, then TUTTI_URL and TUTTI_API_KEY, then what a running `npm start`
 * left in its home directory (`.tutti` unless TUTTI_DIRECTORY says otherwise).
 */
export function findDoor(hints: DoorHints, environment: NodeJS.ProcessEnv = process.env): Door {
  const home = resolve(environment['TUTTI_DIRECTORY'] ?? '.tutti')
  const doorFile = join(home, 'door.json')
  const keysFile = join(home, 'keys.json')

  const stated = hints.url ?? environment['TUTTI_URL']
  const found = stated ?? (existsSync(doorFile) ? readJson(doorFile).get('url') : undefined)
  const url = typeof found === 'string' ? found : 'http://127.0.0.1:4000/graphql'
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol))
    throw new InputMistake(
      `--url: "${url}" is not an http(s) address, such as http://127.0.0.1:4000/graphql.`,
    )
  if (parsed.pathname === '/') parsed.pathname = '/graphql'

  if (hints.key) return { url: parsed.href, key: hints.key, keySource: '--key' }
  const fromEnvironment = environment['TUTTI_API_KEY']
  if (fromEnvironment) return { url: parsed.href, key: fromEnvironment, keySource: 'TUTTI_API_KEY' }
  if (!existsSync(keysFile))
    throw new InputMistake(
      `No API key: give --key KEY or set TUTTI_API_KEY. (npm start leaves its development keys in ${keysFile}, which is not there: does it run in this directory?)`,
    )
  const key = readJson(keysFile).get(hints.role)
  if (typeof key !== 'string')
    throw new InputMistake(`${keysFile}: it holds no key for the role "${hints.role}".`)
  return { url: parsed.href, key, keySource: keysFile }
}
