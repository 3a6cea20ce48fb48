import { fail } from '@tutti/schema'

/** A configuration as an argument gives it: a document, or field by field. */
export interface ConfigurationArguments {
  document?: string | null | undefined
  configuration?: Readonly<Record<string, unknown>> | null | undefined
}

/** A configuration as a document, and how its mistakes are told to who gave it. */
export interface GivenConfiguration {
  document: string
  /** The argument. */
  argument: 'input.document' | 'input.configuration'
  /** A place in the document, as a place in the argument. */
  pathOf(path: readonly PropertyKey[]): string
  /** A key of the document, as the argument spells it. */
  keyOf(key: string): string
  /** Whether lines and columns say anything to who gave it. */
  hasLines: boolean
}

/** Below them the keys are the caller's own. */
const OWN_KEYS = new Set(['settings', 'arguments', 'output_schema', 'cache_steps', 'arguments_schema'])

const camel = (key: string): string => key.replace(/_[a-z]/g, (pair) => pair.slice(1).toUpperCase())
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What was given, as the document that says the same. BAD_INPUT unless it is given in exactly one of the two ways. */
export function givenConfiguration({ document, configuration }: ConfigurationArguments): GivenConfiguration {
  if (document != null && configuration == null)
    return {
      document,
      argument: 'input.document',
      pathOf: (path) => path.join('.'),
      keyOf: (key) => key,
      hasLines: true,
    }
  if (document != null || configuration == null)
    fail('BAD_INPUT', {
      path: 'input',
      message: 'A configuration is given by document or by configuration, by exactly one of them.',
    })
  return {
    document: JSON.stringify(toDocument(configuration)),
    argument: 'input.configuration',
    pathOf: (path) => ['input.configuration', ...spelt(path)].join('.'),
    keyOf: camel,
    hasLines: false,
  }
}

/** The same with a document's keys; what is null is not said. */
function toDocument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toDocument)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner != null)
      .map(([name, inner]) => {
        const key = snake(name)
        return [key, OWN_KEYS.has(key) ? inner : toDocument(inner)]
      }),
  )
}

function spelt(path: readonly PropertyKey[]): string[] {
  const own = path.findIndex((key) => OWN_KEYS.has(String(key)))
  const known = own === -1 ? path.length : own + 1
  return path.map((key, index) => (index < known ? camel(String(key)) : String(key)))
}
