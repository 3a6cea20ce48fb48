import type { ParallelNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { DraftBody, StepContext } from '../draft-step.ts'
import { isStepName } from '../read-fields.ts'
import type { Fields } from '../read-fields.ts'
import { readExits } from '../read-ways.ts'
import { kindOf } from '../tree.ts'
import { JOIN_SCHEMA, ON_FAILURE_SCHEMA, readJoin, writeJoin } from './read-join.ts'
import { readOutput } from './read-output.ts'
import { ref, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'

const MOST_BRANCHES = 100

/** Branches side by side. */
export const parallelStep: StepKind<ParallelNode> = {
  types: ['parallel'],
  isMeantBy: (fields) => fields.valueKind('branches') === 'map',
  read(about, fields, context) {
    const bodies = readBranches(fields, context)
    const { output, makes } = readOutput(fields, { type: 'object' })
    const node: ParallelNode = {
      ...about,
      kind: 'parallel',
      branches: bodies.map(({ name, groups }) => ({ name, entry: groups[0]?.[0]?.node.id ?? '' })),
      ...readJoin(fields, bodies.length > 0 ? bodies.length : undefined),
      ...output,
    }
    return draftStep(node, fields.place, { ...readExits(fields, context), makes, bodies })
  },
  write: (node, { body }) =>
    present({
      branches: Object.fromEntries(node.branches.map(({ name, entry }) => [name, body(node.id, entry)])),
      ...writeJoin(node),
      output: node.output,
    }),
  properties: {
    branches: {
      type: 'object',
      description: 'The steps of each branch, by its name.',
      minProperties: 1,
      maxProperties: MOST_BRANCHES,
      propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$' },
      additionalProperties: ref('steps'),
    },
    join: JOIN_SCHEMA,
    on_failure: ON_FAILURE_SCHEMA,
    output: valueName('The name of {branch: result}.'),
  },
  required: ['branches'],
}

function readBranches(fields: Fields, context: StepContext): DraftBody[] {
  const value = fields.take('branches')?.value
  const hint = 'As branches: {left: [steps], right: [steps]}.'
  if (!value) {
    fields.missing('branches', 'missing_key', hint)
    return []
  }
  const entries = value.kind === 'map' ? value.entries : []
  if (entries.length === 0 || entries.length > MOST_BRANCHES) {
    const what = value.kind === 'map' ? `a mapping of ${entries.length}` : kindOf(value)
    fields.problems.add(
      entries.length === 0 ? 'wrong_type' : 'too_complex',
      value,
      `"branches" must be a mapping of 1 to ${MOST_BRANCHES} branches, not ${what}.`,
      hint,
    )
    return []
  }
  return entries
    .filter(({ key, keyPlace }) => isStepName(key, keyPlace, context.problems, 'branch'))
    .map(({ key, keyPlace, value: steps }) => ({
      name: key,
      place: keyPlace,
      groups: context.readBody(steps),
      locals: [],
      closing: [],
      names: 'joined',
    }))
}
