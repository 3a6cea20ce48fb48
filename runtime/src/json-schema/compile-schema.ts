import vm from 'node:vm'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean

/** A place that does not fit its schema; `path` has keys and indexes from the value's root, as `items.0.name`. */
export type SchemaProblem = { readonly path: string; readonly message: string }

/** A schema made ready: answers what does not fit, nothing if all does (20 problems at most). Never throws. */
export type SchemaCheck = (value: unknown) => readonly SchemaProblem[]

/** A schema made ready, or why it cannot be used. */
export type CompiledSchema =
  | { readonly ok: true; readonly check: SchemaCheck }
  | { readonly ok: false; readonly message: string }

const MOST_PROBLEMS = 20
const LONGEST_CHECK_MS = 250
// Keywords whose cost is not linear in schema and value: backtracking, references that fan out, pairs compared.
const COSTLY = /"(?:pattern|patternProperties|\$ref|\$dynamicRef|uniqueItems|propertyNames)":/

// As the draft has it, `format` describes and does not reject.
const OPTIONS = { strict: false, validateFormats: false, logger: false } as const
const meta = new Ajv2020(OPTIONS)

/**
 * Makes a JSON Schema, draft 2020-12, ready. References lead within the schema. A check that a pattern or a fan
 * of references makes slow ends after 250 ms, as a value that does not fit.
 */
export function compileSchema(schema: JsonSchema): CompiledSchema {
  try {
    if (meta.validateSchema(schema) !== true)
      return { ok: false, message: meta.errorsText(meta.errors, { dataVar: 'schema' }).slice(0, 300) }
    // An instance of its own (0.1 ms): a shared one would let one tenant's $id be another's reference.
    const ajv = new Ajv2020({ ...OPTIONS, allErrors: true, meta: false, validateSchema: false })
    const validate = ajv.compile(schema)
    const isCostly = COSTLY.test(JSON.stringify(schema))
    return { ok: true, check: (value) => run(validate, value, isCostly) }
  } catch (error) {
    return { ok: false, message: messageOf(error) }
  }
}

function run(validate: ValidateFunction, value: unknown, isCostly: boolean): readonly SchemaProblem[] {
  try {
    const fits = isCostly ? withinTime(() => validate(value)) : validate(value)
    return fits === true ? [] : (validate.errors ?? []).slice(0, MOST_PROBLEMS).map(problemOf)
  } catch (error) {
    // Nested too deep for the stack, or out of time.
    return [{ path: '', message: messageOf(error) }]
  }
}

const script = new vm.Script('check()')
let context: (vm.Context & { check?: () => unknown }) | undefined

function withinTime(check: () => unknown): unknown {
  context ??= vm.createContext({})
  context.check = check
  try {
    return script.runInContext(context, { timeout: LONGEST_CHECK_MS })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new Error('The check took too long.', { cause: error })
    throw error
  } finally {
    delete context.check
  }
}

function problemOf({ instancePath, keyword, params, message = 'does not fit' }: ErrorObject): SchemaProblem {
  const keys = instancePath.split('/').slice(1)
  const path = keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
  const extra: unknown = keyword === 'additionalProperties' ? params['additionalProperty'] : undefined
  return { path, message: typeof extra === 'string' ? `${message} ("${extra}")` : message }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300)
}
