/**
 * The arguments of a tool: the task's input, or what the agent's configuration says: a value as it stands, or `{from: path}`,
 * a place in the input by names (and numbers, in lists) parted by dots. What is not there is left out.
 */
export function toolArguments(
  input: Readonly<Record<string, unknown>>,
  mapping: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  if (!mapping) return { ...input }
  return Object.fromEntries(
    Object.entries(mapping).flatMap(([name, said]) => {
      const value = isPlace(said) ? placeIn(input, said.from) : said
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** What is at a place in a value; undefined when there is nothing. Only what a value has itself counts. */
export function placeIn(value: unknown, path: string): unknown {
  let at = value
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = Reflect.get(at, name)
  }
  return at
}

function isPlace(value: unknown): value is { from: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length === 1 &&
    'from' in value &&
    typeof value.from === 'string'
  )
}
