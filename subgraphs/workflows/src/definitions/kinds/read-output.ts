import type { JsonSchema } from '../definition.ts'
import type { Made } from '../draft-step.ts'
import type { Fields } from '../read-fields.ts'

/** Reads `output`, the name under which later steps find the result of this one; `schema` is what it looks like. */
export function readOutput(
  fields: Fields,
  schema?: JsonSchema,
): { readonly output: { readonly output?: string }; readonly makes: readonly Made[] } {
  const name = fields.identifier('output')
  if (name === undefined) return { output: {}, makes: [] }
  const place = fields.placeOf('output')
  return { output: { output: name }, makes: [{ name, place, ...(schema === undefined ? {} : { schema }) }] }
}
