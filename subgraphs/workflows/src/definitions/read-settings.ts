import type { ConcurrencyLimit, JsonSchema, Schemas, WorkflowDefinition } from './definition.ts'
import type { Reading, StepContext } from './draft-step.ts'
import type { Payload } from './check-names.ts'
import { optional } from './optional.ts'
import type { ProblemList } from './problem.ts'
import { DAY, readDuration } from './read-duration.ts'
import { readExpression } from './read-expression.ts'
import { isIdentifier } from './read-fields.ts'
import type { Fields } from './read-fields.ts'
import { readJsonSchema } from './read-json-schema.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** What a workflow says about itself besides its steps. */
export type Settings = {
  readonly settings: Pick<WorkflowDefinition, 'schemas' | 'timeoutMs' | 'concurrency' | 'priority'>
  /** The names of the payload; undefined when they are to be inferred. */
  readonly inputs: string[] | undefined
  readonly readings: readonly Reading[]
  readonly schemas: Payload['schemas']
}

const MOST_RUNS = 100_000

/** Reads `inputs`, `schemas`, `timeout`, `concurrency` and `priority`. */
export function readSettings(fields: Fields, context: StepContext): Settings {
  const { problems } = context
  const declared = readDeclaredInputs(fields.take('inputs')?.value, problems)
  const schemas = readSchemas(fields, problems)
  const timeoutMs = readDuration(fields, 'timeout', { min: 1, max: 3_660 * DAY })
  const { concurrency, readings } = readConcurrency(fields, context)
  const priority = fields.number('priority', { min: -10, max: 10 })
  const properties = propertiesOf(schemas?.input)
  const input = properties && Object.fromEntries(properties)
  return {
    settings: {
      ...optional('schemas', schemas),
      ...optional('timeoutMs', timeoutMs),
      ...optional('concurrency', concurrency),
      ...optional('priority', priority),
    },
    inputs: declared ?? properties?.map(([name]) => name),
    readings,
    schemas: { input, state: schemas?.state },
  }
}

function readDeclaredInputs(tree: Tree | undefined, problems: ProblemList): string[] | undefined {
  if (!tree) return undefined
  const items = tree.kind === 'list' ? tree.items : [tree]
  const names = items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string')
      return isIdentifier(item.value, item, problems) ? [item.value] : []
    problems.add(
      'wrong_type',
      item,
      `"inputs" holds ${kindOf(item)}.`,
      'List the names of the payload: inputs: [customer_message].',
    )
    return []
  })
  return [...new Set(names)]
}

function readSchemas(fields: Fields, problems: ProblemList): Schemas | undefined {
  const own = fields.mapping('schemas', 'As {input: <schema>, state: {name: <schema>}, output: <schema>}.')
  if (!own) return undefined
  const read = (tree: Tree | undefined) => tree && readJsonSchema(tree, problems)
  const input = read(own.take('input')?.value)
  const output = read(own.take('output')?.value)
  const stateTree = own.take('state')?.value
  if (stateTree && stateTree.kind !== 'map')
    problems.add(
      'wrong_type',
      stateTree,
      `"state" must be a mapping, not ${kindOf(stateTree)}.`,
      'Names and their schemas.',
    )
  own.refuseOthers()
  const state: [string, JsonSchema][] = []
  for (const { key, keyPlace, value } of stateTree?.kind === 'map' ? stateTree.entries : []) {
    const schema = isIdentifier(key, keyPlace, problems) ? read(value) : undefined
    if (schema !== undefined) state.push([key, schema])
  }
  return {
    ...optional('input', input),
    ...(stateTree ? { state: Object.fromEntries(state) } : {}),
    ...optional('output', output),
  }
}

function readConcurrency(
  fields: Fields,
  context: StepContext,
): { concurrency?: ConcurrencyLimit; readings: readonly Reading[] } {
  const limits = { min: 1, max: MOST_RUNS }
  if (fields.valueKind('concurrency') === 'scalar') {
    const max = fields.number('concurrency', limits)
    return { ...(max === undefined ? {} : { concurrency: { max } }), readings: [] }
  }
  const own = fields.mapping(
    'concurrency',
    'As {max: 5}, or {key: customer.id, max: 1} for each value of the key.',
  )
  if (!own) return { readings: [] }
  const keyTree = own.take('key')?.value
  const key = keyTree && readExpression(keyTree, { wants: 'any' }, context)
  own.missing('max', 'missing_key', 'Say how many runs may be under way at once.')
  const max = own.number('max', limits)
  own.refuseOthers()
  return {
    ...(max === undefined ? {} : { concurrency: { ...optional('key', key?.text), max } }),
    readings: key ? [key.reading] : [],
  }
}

/** The payload's names by its schema. */
function propertiesOf(schema: JsonSchema | undefined): [string, JsonSchema][] | undefined {
  const properties: unknown = typeof schema === 'object' ? schema['properties'] : undefined
  if (typeof properties !== 'object' || properties === null) return undefined
  return Object.entries(properties).filter(
    (entry): entry is [string, JsonSchema] => typeof entry[1] === 'object' || typeof entry[1] === 'boolean',
  )
}
