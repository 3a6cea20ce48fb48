import { globSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'yaml'

import { readTextFile } from '../input/read-text-file.ts'
import type { LabelledExample } from '../input/read-examples.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

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

function asCsv(examples: readonly LabelledExample[]): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
  return `text,category\n${examples.map(({ text, category }) => `${quote(text)},${quote(category)}`).join('\n')}\n`
}

/**
 * Registers every document of a directory as it stands, with the labelled examples under the name by which the
 * classifier's settings refer to them. Returns how many there are and how many the platform did not know yet.
 */
export async function registerAgents(
  door: Door,
  directory: string,
  examples: readonly LabelledExample[],
): Promise<{ agents: number; changed: number }> {
  const files = globSync('*.yaml', { cwd: directory }).sort()
  let changed = 0
  for (const file of files) {
    const document = readTextFile(join(directory, file))
    const name = at(parse(document), 'executor', 'settings', 'examples')
    const input = { document, files: typeof name === 'string' ? [{ name, content: asCsv(examples) }] : [] }
    const { registerAgent } = await ask<{ registerAgent: { changed: boolean } }>(door, REGISTER, { input })
    if (registerAgent.changed) changed++
  }
  return { agents: files.length, changed }
}
