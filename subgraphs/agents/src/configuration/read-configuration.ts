import { suggestName } from '@tutti/runtime'
import { fail, type Problem } from '@tutti/schema'
import type { z } from 'zod'
import { type AgentConfiguration, configurationSchema } from './configuration-schema.ts'
import { findUnsafeValues } from './find-unsafe-values.ts'
import type { GivenConfiguration } from './given-configuration.ts'
import { modelExecutor } from './model-executor.ts'
import { readYaml } from './read-yaml.ts'

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
  governs: [
    'action',
    'amount',
    'risk',
    'classification',
    'deadline_seconds',
    'on_deadline',
    'arguments_schema',
  ],
  'executor.authorization': ['credential', 'header', 'scheme'],
}
const TRIGGER_KEYS = ['type', 'expression', 'source', 'event_type']

/**
 * Reads a document of the agent configuration schema, YAML or JSON, bare or under the key `agent_config_schema` as in
 * the specification. INVALID_DOCUMENT lists every mistake with path, line and column; of a configuration that was given
 * field by field with the path in the argument.
 */
export function readConfiguration(given: GivenConfiguration): AgentConfiguration {
  const text = readYaml(given.document)
  if ('problems' in text) {
    refuse(
      given,
      given.hasLines
        ? text.problems
        : text.problems.map(({ code, message }) => ({ code, message, path: given.pathOf([]) })),
    )
  }
  const locate: Locate = (at, ofKey) => ({
    path: given.pathOf(at),
    ...(given.hasLines ? text.locate(at, ofKey) : {}),
  })
  const unsafe = findUnsafeValues(text.value)
  if (unsafe.length > 0)
    refuse(
      given,
      unsafe.map(({ at, ofKey, ...rest }) => ({ ...rest, ...locate(at, ofKey) })),
    )
  const prefix = isWrapped(text.value) ? [WRAPPER] : []
  const parsed = configurationSchema.safeParse(isWrapped(text.value) ? text.value[WRAPPER] : text.value)
  if (parsed.success) return parsed.data
  refuse(
    given,
    parsed.error.issues.flatMap((issue) => problemsOf(issue, { given, prefix, locate, value: text.value })),
  )
}

/** Where something stands, as a problem says it. */
type Locate = (path: readonly PropertyKey[], ofKey?: boolean) => Pick<Problem, 'path' | 'line' | 'column'>

interface Reading {
  given: GivenConfiguration
  prefix: readonly string[]
  locate: Locate
  value: unknown
}

function isWrapped(value: unknown): value is Record<typeof WRAPPER, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const keys = Object.keys(value)
  return keys.length === 1 && keys[0] === WRAPPER
}

function problemsOf(
  issue: z.core.$ZodIssue,
  { given: { keyOf, pathOf }, prefix, locate, value }: Reading,
): Problem[] {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path[0] === 'triggers' ? TRIGGER_KEYS : (KEYS[issue.path.join('.')] ?? [])
    return issue.keys.map((key) => {
      const like = suggestName(key, known)
      return {
        code: 'unknown_key',
        message: `The key "${keyOf(key.slice(0, 100))}" is not known here.`,
        ...locate([...path, key], true),
        path: pathOf([...path, key.slice(0, 100)]),
        hint: known.includes(key)
          ? 'It goes with another type.'
          : like
            ? `Did you mean "${keyOf(like)}"?`
            : `Known here: ${known.map(keyOf).join(', ')}.`,
      }
    })
  }
  const given = valueAt(value, path)
  const place = locate(path)
  if (given === undefined) {
    const key = keyOf(String(path.at(-1) ?? 'metadata'))
    return [{ code: 'missing_key', message: `"${key}" is missing.`, ...place }]
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

function refuse({ argument }: GivenConfiguration, problems: readonly Problem[]): never {
  const [first] = problems
  fail('INVALID_DOCUMENT', {
    path: argument,
    problems: problems.slice(0, 100),
    ...(problems.length === 1 && first
      ? { message: `${first.path ? `${first.path}: ` : ''}${first.message}` }
      : {}),
  })
}
