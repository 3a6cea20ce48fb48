import { suggestName } from '@tutti/runtime'
import { fail, type Problem } from '@tutti/schema'
import type { z } from 'zod'
import { type AgentConfiguration, configurationSchema } from './configuration-schema.ts'
import { findUnsafeValues } from './find-unsafe-values.ts'
import { modelExecutor } from './model-executor.ts'
import { readYaml, type YamlText } from './read-yaml.ts'

const WRAPPER = 'agent_config_schema'

const KEYS: Record<string, readonly string[]> = {
  '': Object.keys(configurationSchema.shape),
  metadata: Object.keys(configurationSchema.shape.metadata.shape),
  resource_requirements: ['memory_mb', 'cpu_cores', 'max_concurrent_tasks'],
  ai_models: ['primary', 'fallback', 'cache', 'cache_steps'],
  executor: [
    'type',
    'function',
    'url',
    'connector',
    'command',
    'args',
    'tool',
    'arguments',
    'message',
    ...Object.keys(modelExecutor.shape),
    'authorization',
    'settings',
  ],
  'executor.authorization': ['credential', 'header', 'scheme'],
}
const TRIGGER_KEYS = ['type', 'expression', 'source', 'event_type']

/**
 * Reads a document of the agent configuration schema, YAML or JSON, bare or under the key `agent_config_schema` as in
 * the specification. INVALID_DOCUMENT lists every mistake with path, line and column.
 */
export function readConfiguration(document: string): AgentConfiguration {
  const text = readYaml(document)
  if ('problems' in text) refuse(text.problems)
  const unsafe = findUnsafeValues(text.value)
  if (unsafe.length > 0) {
    refuse(
      unsafe.map(({ at, ofKey, ...rest }) => ({ ...rest, path: at.join('.'), ...text.locate(at, ofKey) })),
    )
  }
  const prefix = isWrapped(text.value) ? [WRAPPER] : []
  const parsed = configurationSchema.safeParse(isWrapped(text.value) ? text.value[WRAPPER] : text.value)
  if (parsed.success) return parsed.data
  refuse(parsed.error.issues.flatMap((issue) => problemsOf(issue, prefix, text)))
}

function isWrapped(value: unknown): value is Record<typeof WRAPPER, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const keys = Object.keys(value)
  return keys.length === 1 && keys[0] === WRAPPER
}

function problemsOf(issue: z.core.$ZodIssue, prefix: readonly string[], text: YamlText): Problem[] {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path[0] === 'triggers' ? TRIGGER_KEYS : (KEYS[issue.path.join('.')] ?? [])
    return issue.keys.map((key) => {
      const like = suggestName(key, known)
      return {
        code: 'unknown_key',
        message: `The key "${key.slice(0, 100)}" is not known here.`,
        path: [...path, key.slice(0, 100)].join('.'),
        ...text.locate([...path, key], true),
        hint: like ? `Did you mean "${like}"?` : `Known here: ${known.join(', ')}.`,
      }
    })
  }
  const given = valueAt(text.value, path)
  const place = { path: path.join('.'), ...text.locate(path) }
  if (given === undefined) {
    return [{ code: 'missing_key', message: `"${String(path.at(-1) ?? 'metadata')}" is missing.`, ...place }]
  }
  return [
    { code: CODES[issue.code] ?? 'invalid_value', message: issue.message, ...place, ...hintOf(path, given) },
  ]
}

const CODES: Partial<Record<z.core.$ZodIssue['code'], string>> = {
  invalid_type: 'wrong_type',
  too_small: 'out_of_range',
  too_big: 'out_of_range',
}

function hintOf(path: readonly PropertyKey[], given: unknown): { hint?: string } {
  const key = String(path.at(-1))
  if (key === 'memory_mb') return { hint: 'A number of megabytes without a unit, as 512.' }
  if (key === 'cpu_cores') return { hint: 'A number of cores without a unit, as 0.5 for half a core.' }
  if (key === 'version' && typeof given === 'number') return { hint: `Put it in quotes: "${given}".` }
  return {}
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function refuse(problems: readonly Problem[]): never {
  const [first] = problems
  fail('INVALID_DOCUMENT', {
    path: 'input.document',
    problems: problems.slice(0, 100),
    ...(problems.length === 1 && first
      ? { message: `${first.path ? `${first.path}: ` : ''}${first.message}` }
      : {}),
  })
}
