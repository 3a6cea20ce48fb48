import type { TransformNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { Made, Reading, StepContext } from '../draft-step.ts'
import { readExpression } from '../read-expression.ts'
import { isIdentifier } from '../read-fields.ts'
import type { Fields } from '../read-fields.ts'
import { readExits } from '../read-ways.ts'
import { kindOf } from '../tree.ts'
import { expression } from './schema-parts.ts'
import type { StepKind } from './step-kind.ts'

const MOST_NAMES = 100
const HINT = 'Names and the expressions of their values, as words: size(draft.words).'
const ASSIGNMENTS = {
  type: 'object',
  description: 'Names and the expressions of their values, one after the other.',
  minProperties: 1,
  maxProperties: MOST_NAMES,
  propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' },
  additionalProperties: expression('The value.'),
} as const

/** Names that the engine itself gives values, one after the other. */
export const transformStep: StepKind<TransformNode> = {
  types: ['transform'],
  isMeantBy: (fields) => fields.has('set'),
  read(about, fields, context) {
    const { assign, makes, readings } = readAssignments(fields, context)
    const ways = readExits(fields, context)
    return draftStep({ ...about, kind: 'transform', assign }, fields.place, {
      ...ways,
      readings: [...readings, ...ways.readings],
      makes,
    })
  },
  write: (node) => ({ set: Object.fromEntries(node.assign.map(({ name, value }) => [name, value])) }),
  properties: { set: ASSIGNMENTS },
  required: ['set'],
}

function readAssignments(
  fields: Fields,
  context: StepContext,
): { assign: { name: string; value: string }[]; makes: Made[]; readings: Reading[] } {
  const value = fields.take('set')?.value
  fields.missing('set', 'missing_key', HINT)
  const entries = value?.kind === 'map' ? value.entries : []
  if (value && (entries.length === 0 || entries.length > MOST_NAMES))
    fields.problems.add(
      entries.length === 0 ? 'wrong_type' : 'too_complex',
      value,
      `"set" must be a mapping of 1 to ${MOST_NAMES} names, not ${kindOf(value)}.`,
      HINT,
    )
  const assign: { name: string; value: string }[] = []
  const makes: Made[] = []
  const readings: Reading[] = []
  for (const entry of entries.slice(0, MOST_NAMES)) {
    if (!isIdentifier(entry.key, entry.keyPlace, context.problems)) continue
    // What was set before it in the same step is there already.
    const locals = assign.map(({ name }) => name)
    const computed = readExpression(entry.value, { wants: 'any', locals }, context)
    makes.push({ name: entry.key, place: entry.keyPlace })
    assign.push({ name: entry.key, value: computed?.text ?? 'null' })
    if (computed) readings.push(computed.reading)
  }
  return { assign, makes, readings }
}
