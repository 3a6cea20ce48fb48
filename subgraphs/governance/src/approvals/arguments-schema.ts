import { compileSchema, type JsonSchema, type SchemaProblem } from '@tutti/runtime'
import { fail, type Problem } from '@tutti/schema'
import { z } from 'zod'
import { jsonValue } from '../input/json-value.ts'
import type { ApprovalRow } from './approval-row.ts'

/** As many as a schema of a workflow may hold. */
const MOST_VALUES = 2_000

/** A JSON Schema, draft 2020-12, that can be used, of at most 2,000 values. */
export const argumentsSchema = () =>
  jsonValue().transform((value, check): JsonSchema => {
    const mistake = isSchema(value) ? mistakeIn(value) : 'A JSON Schema is an object, true or false.'
    if (mistake === null && isSchema(value)) return value
    check.addIssue({ code: 'custom', message: mistake ?? '' })
    return z.NEVER
  })

/** BAD_INPUT with every place, under `path`, where arguments that take the place of others do not fit. */
export function requireFit(
  { argumentsSchema: schema }: Pick<ApprovalRow, 'argumentsSchema'>,
  value: unknown,
  path: string,
): void {
  if (schema === null) return
  const compiled = compileSchema(schema)
  const misfits: readonly SchemaProblem[] = compiled.ok
    ? compiled.check(value)
    : [{ path: '', message: compiled.message }]
  const problems = misfits.map((each): Problem => ({
    code: 'custom',
    message: each.message,
    path: each.path === '' ? path : `${path}.${each.path}`,
  }))
  const [first] = problems
  if (first)
    fail('BAD_INPUT', {
      problems,
      path: first.path ?? path,
      message: 'These arguments do not fit what the approval allows.',
      hint: 'Its `argumentsSchema` says what they must look like.',
    })
}

function mistakeIn(schema: JsonSchema): string | null {
  if (countValues(schema) > MOST_VALUES) return `At most ${MOST_VALUES} values.`
  const compiled = compileSchema(schema)
  return compiled.ok ? null : `The schema is not valid: ${compiled.message}`
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))

const countValues = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, each) => sum + countValues(each), 1)
    : 1
