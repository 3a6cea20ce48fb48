const NAME = /\{\{\s*([\p{L}\p{N}_][\p{L}\p{N}_.-]*)\s*\}\}/gu

/** What a model is told to do, and the data that it gets for it. */
export interface FilledTemplate {
  instructions: string
  data: Record<string, unknown>
}

/**
 * Instructions with the step's input. What `{{name}}` (or `{{name.inner}}`) names goes among the data, and its place in the
 * instructions says so: nothing of an input ever becomes an instruction. Where nothing is named, all of the input is data.
 */
export function fillTemplate(template: string, input: Readonly<Record<string, unknown>>): FilledTemplate {
  const data: Record<string, unknown> = Object.create(null)
  const instructions = template.replaceAll(NAME, (_, path: string) => {
    data[path] = valueAt(input, path) ?? null
    return `"${path}" of the data`
  })
  return { instructions, data: Object.keys(data).length === 0 ? { ...input } : { ...data } }
}

function valueAt(input: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = input
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = Reflect.get(value, key)
  }
  return value
}
