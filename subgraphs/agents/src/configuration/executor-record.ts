import { createHash } from 'node:crypto'
import { fail } from '@tutti/schema'
import { z } from 'zod'
import { isBuiltinFunction } from './builtin-functions.ts'
import type { AgentConfiguration } from './configuration-schema.ts'
import { modelRecord } from './model-executor.ts'

const file = z.object({ sha256: z.string(), size: z.int(), content: z.string() })

/** How an agent does a task, with its files in full; kept apart from the configuration because only workers read it. */
export const executorRecord = z.object({
  type: z.enum(['builtin', 'http', 'mcp', 'a2a', 'model', 'person', 'external', 'connector', 'unbound']),
  function: z.string().optional(),
  url: z.string().optional(),
  /** The connector, by name, that says how it is called. */
  connector: z.string().optional(),
  /** Of an MCP server on this machine, instead of a URL. */
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  /** Which of an MCP server's tools does the task. */
  tool: z.string().optional(),
  /** By the tool's names: a value, or `{from: path}` in the task's input. The input itself where there are none. */
  arguments: z.record(z.string(), z.unknown()).optional(),
  /** Where in the task's input the text is that an A2A agent is sent; the whole input where it is not said. */
  message: z.string().optional(),
  /** The credential, by name, that it is called with, and the header that bears it. */
  authorization: z.object({ credential: z.string(), header: z.string(), scheme: z.string() }).optional(),
  ...modelRecord.partial().shape,
  settings: z.record(z.string(), z.unknown()),
  /** By the name under which the settings refer to them; `size` in bytes. */
  files: z.record(z.string(), file),
})
export type ExecutorRecord = z.output<typeof executorRecord>

/** A file given with a document. */
export interface GivenFile {
  name: string
  content: string
}

/**
 * The executor that a configuration and its files ask for. Without the key `executor` it is the built-in function of
 * the agent's own name, else `unbound`: such an agent can be registered and looked at, and its tasks fail with a reason.
 * INVALID_DOCUMENT when a file is given twice or named nowhere in the settings.
 */
export function executorOf(configuration: AgentConfiguration, given: readonly GivenFile[]): ExecutorRecord {
  const declared = configuration.executor ?? defaultExecutor(configuration.metadata.name)
  const named = new Set(textsIn(declared.settings))
  const seen = new Set<string>()
  const problems = given.flatMap(({ name }, index) => {
    const path = `files.${index}.name`
    if (seen.has(name))
      return [{ code: 'duplicate_file', path, message: `The file "${name}" is given twice.` }]
    seen.add(name)
    if (named.has(name)) return []
    return [
      {
        code: 'unused_file',
        path,
        message: `Nothing in executor.settings names the file "${name}".`,
        hint: 'Give it the name as it is written in the settings.',
      },
    ]
  })
  if (problems.length > 0) fail('INVALID_DOCUMENT', { path: 'input.files', problems })
  return {
    ...declared,
    files: Object.fromEntries(given.map(({ name, content }) => [name, describe(content)])),
  }
}

function defaultExecutor(name: string): Omit<ExecutorRecord, 'files'> {
  return isBuiltinFunction(name)
    ? { type: 'builtin', function: name, settings: {} }
    : { type: 'unbound', settings: {} }
}

function describe(content: string): ExecutorRecord['files'][string] {
  return {
    sha256: createHash('sha256').update(content).digest('hex'),
    size: Buffer.byteLength(content),
    content,
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
