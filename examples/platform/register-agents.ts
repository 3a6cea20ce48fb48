import { globSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'yaml'

import { readTextFile } from '../input/read-text-file.ts'
import { ask } from './ask.ts'
import type { Door } from './find-door.ts'

const REGISTER = `mutation RegisterAgent($input: RegisterAgentInput!) {
  registerAgent(input: $input) { changed agent { name } }
}`

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? new Map(Object.entries(inner)).get(name) : undefined,
    value,
  )
}

/**
 * Registers every document of a directory as it stands. An agent whose settings have the key `setting` is given the file
 * `content` under the name that stands there. Returns how many there are and how many the platform did not know yet.
 */
export async function registerAgents(
  door: Door,
  directory: string,
  { setting, content }: { setting: string; content: string },
): Promise<{ agents: number; changed: number }> {
  const files = globSync('*.yaml', { cwd: directory }).sort()
  let changed = 0
  for (const file of files) {
    const document = readTextFile(join(directory, file))
    const name = at(parse(document), 'executor', 'settings', setting)
    const input = { document, files: typeof name === 'string' ? [{ name, content }] : [] }
    const { registerAgent } = await ask<{ registerAgent: { changed: boolean } }>(door, REGISTER, { input })
    if (registerAgent.changed) changed++
  }
  return { agents: files.length, changed }
}
