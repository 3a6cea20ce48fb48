import { compileSchema, suggestName } from '@tutti/runtime'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isRecord } from '@tutti/schema'
import type { JsonSchema } from './definition.ts'
import type { Place, ProblemList } from './problem.ts'
import { kindOf, plainOf, shorten } from './tree.ts'
import type { Tree } from './tree.ts'

/** Limits of one schema: its values and its levels. */
export const SCHEMA_LIMITS = { values: 2_000, depth: 24 } as const

const ONE = words(
  'additionalProperties items contains propertyNames not if then else unevaluatedItems unevaluatedProperties contentSchema',
)
const SEVERAL = words('allOf anyOf oneOf prefixItems')
const BY_NAME = words('properties $defs dependentSchemas patternProperties')
const PLAIN = words(
  `type enum const required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern minItems
  maxItems uniqueItems minContains maxContains minProperties maxProperties dependentRequired format title description
  default examples deprecated readOnly writeOnly $comment $schema $id $anchor $ref contentMediaType contentEncoding`,
)
const KNOWN = [...ONE, ...SEVERAL, ...BY_NAME, ...PLAIN]
const NOT_VALID_IN_ITSELF = /"(?:\$ref|\$id|\$anchor|\$schema|pattern|patternProperties|enum)":/
const HINT = 'See json-schema.org, draft 2020-12.'

let validator: Ajv2020 | undefined

/** Reads a JSON Schema, draft 2020-12; what is wrong with it is noted where it stands, unknown keywords among it. */
export function readJsonSchema(tree: Tree, problems: ProblemList): JsonSchema | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'boolean') return tree.value
  const walk = new SchemaWalk(problems)
  walk.visit(tree, 'schema', 0)
  if (walk.failed) return undefined
  const schema = plainOf(tree)
  if (!isRecord(schema)) return undefined
  validator ??= new Ajv2020({ strict: false, validateFormats: false, logger: false })
  if (schema['$schema'] === undefined && validator.validateSchema(schema) !== true) {
    const places = new Set<string>()
    for (const { instancePath, message } of validator.errors ?? []) {
      if (places.has(instancePath)) continue
      places.add(instancePath)
      const key = instancePath.split('/').at(-1) || 'it'
      problems.add(
        'invalid_schema',
        treeAt(tree, instancePath),
        `The schema is not valid: ${shorten(key)} ${message ?? 'is wrong'}.`,
        HINT,
      )
    }
    return undefined
  }
  if (!NOT_VALID_IN_ITSELF.test(JSON.stringify(schema))) return schema
  const compiled = compileSchema(schema)
  if (compiled.ok) return schema
  problems.add('invalid_schema', tree, `The schema is not valid: ${compiled.message}`, HINT)
  return undefined
}

/** Notes unknown keywords, values JSON does not have, and too much of it all, before anything costly sees it. */
class SchemaWalk {
  failed = false
  readonly #problems: ProblemList
  #values = 0

  constructor(problems: ProblemList) {
    this.#problems = problems
  }

  visit(tree: Tree, as: 'schema' | 'schemas' | 'value', depth: number): void {
    if (this.#isTooMuch(tree, depth)) return
    if (tree.kind === 'list') {
      if (as === 'schema') return this.#refuse(tree, 'A schema must be a mapping, not a list.', HINT)
      for (const item of tree.items) this.visit(item, as === 'schemas' ? 'schema' : 'value', depth + 1)
    } else if (tree.kind === 'scalar') this.#scalar(tree, as)
    else
      for (const { key, keyPlace, value } of tree.entries) {
        if (as === 'schema') this.visit(value, this.#keyword(key, keyPlace), depth + 1)
        else this.visit(value, as === 'schemas' ? 'schema' : 'value', depth + 1)
      }
  }

  #keyword(key: string, place: Place): 'schema' | 'schemas' | 'value' {
    if (ONE.has(key)) return 'schema'
    if (SEVERAL.has(key) || BY_NAME.has(key)) return 'schemas'
    if (PLAIN.has(key)) return 'value'
    const similar = key === 'definitions' ? '$defs' : suggestName(key, KNOWN)
    const hint = similar ? `Did you mean "${similar}"?` : HINT
    this.#refuse(place, `JSON Schema does not know the keyword "${shorten(key)}".`, hint)
    return 'value'
  }

  #scalar(tree: Tree & { kind: 'scalar' }, as: 'schema' | 'schemas' | 'value'): void {
    if (typeof tree.value === 'number' && !Number.isFinite(tree.value))
      this.#refuse(tree, 'JSON has no such number.', 'Write a finite one.')
    else if (as !== 'value' && typeof tree.value !== 'boolean')
      this.#refuse(
        tree,
        `A schema must be a mapping, true or false, not ${kindOf(tree)}.`,
        'As type: object.',
      )
  }

  #isTooMuch(place: Place, depth: number): boolean {
    this.#values += 1
    const { values, depth: levels } = SCHEMA_LIMITS
    if (this.#values === values + 1 || depth === levels + 1)
      this.#refuse(place, 'The schema holds too much.', `At most ${values} values and ${levels} levels.`)
    return this.#values > values || depth > levels
  }

  #refuse(place: Place, message: string, hint: string): void {
    this.failed = true
    this.#problems.add('invalid_schema', place, message, hint)
  }
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/))
}

function treeAt(root: Tree, pointer: string): Place {
  let tree = root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const inner: Tree | undefined =
      tree.kind === 'map'
        ? tree.entries.find((entry) => entry.key === key)?.value
        : tree.kind === 'list'
          ? tree.items[Number(key)]
          : undefined
    if (!inner) break
    tree = inner
  }
  return tree
}
