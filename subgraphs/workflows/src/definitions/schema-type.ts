import { isRecord } from '@tutti/schema'
import type { JsonSchema } from './definition.ts'

/** The types that JSON has, as JSON Schema calls them; a whole number is a number. */
export type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array'

/** What a schema says for certain about a value: its types and its only possible values, absent where it says nothing. */
export type Certain = { readonly types?: ReadonlySet<JsonType>; readonly values?: readonly unknown[] }

const TYPES: ReadonlySet<string> = new Set<JsonType>([
  'string',
  'number',
  'boolean',
  'null',
  'object',
  'array',
])
const LONGEST_CHAIN = 20

/** What is certain about the values of a schema. `root` is the schema that its references lead within. */
export function certainOf(schema: JsonSchema | undefined, root: JsonSchema | undefined): Certain {
  const object = objectOf(schema, root)
  if (!object) return {}
  const { type, enum: several, const: only } = object
  const values: readonly unknown[] | undefined =
    'const' in object ? [only] : Array.isArray(several) ? several : undefined
  const names = typeof type === 'string' ? [type] : Array.isArray(type) ? type : undefined
  const written = names?.map((name) => (name === 'integer' ? 'number' : name)).filter(isJsonType)
  const types = written ? new Set(written) : values ? new Set(values.map(jsonTypeOf)) : undefined
  return { ...(types ? { types } : {}), ...(values ? { values } : {}) }
}

/** The schema of a field; `'none'` where there can be none of that name, undefined where nothing is known. */
export function fieldOf(
  schema: JsonSchema | undefined,
  field: string,
  root: JsonSchema | undefined,
): JsonSchema | 'none' | undefined {
  const { types } = certainOf(schema, root)
  if (types && !types.has('object')) return 'none'
  const object = objectOf(schema, root)
  const properties = object?.['properties']
  if (isRecord(properties) && Object.hasOwn(properties, field)) return schemaOf(properties[field])
  const closed = object?.['additionalProperties'] === false && object['patternProperties'] === undefined
  return closed ? 'none' : undefined
}

/** The schema of every entry of a list, if there is one for all. */
export function itemOf(schema: JsonSchema | undefined, root: JsonSchema | undefined): JsonSchema | undefined {
  const object = objectOf(schema, root)
  return object?.['prefixItems'] === undefined ? schemaOf(object?.['items']) : undefined
}

/** The type of a JSON value. */
export function jsonTypeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'bigint' ? 'number' : isJsonType(type) ? type : 'object'
}

/** The mapping a schema is, once its reference within the same schema is followed. */
function objectOf(
  schema: JsonSchema | undefined,
  root: JsonSchema | undefined,
): Readonly<Record<string, unknown>> | undefined {
  let current: unknown = schema
  for (let link = 0; link < LONGEST_CHAIN && isRecord(current); link += 1) {
    const reference = current['$ref']
    if (reference === undefined) return current
    const [, name] = typeof reference === 'string' ? (/^#\/\$defs\/([^/~%]+)$/.exec(reference) ?? []) : []
    const definitions = isRecord(root) ? root['$defs'] : undefined
    current =
      name !== undefined && isRecord(definitions) && Object.hasOwn(definitions, name)
        ? definitions[name]
        : undefined
  }
  return undefined
}

function schemaOf(value: unknown): JsonSchema | undefined {
  return typeof value === 'boolean' || isRecord(value) ? value : undefined
}

function isJsonType(name: unknown): name is JsonType {
  return typeof name === 'string' && TYPES.has(name)
}
