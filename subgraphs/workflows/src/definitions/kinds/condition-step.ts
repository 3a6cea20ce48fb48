import type { ConditionNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { StepContext } from '../draft-step.ts'
import { readExpression } from '../read-expression.ts'
import type { Fields } from '../read-fields.ts'
import { conditionalExit, joined, readConditionalWay, readWay } from '../read-ways.ts'
import type { Ways } from '../read-ways.ts'
import { condition, mapping, ref, stepName } from './schema-parts.ts'
import type { StepKind } from './step-kind.ts'

const MOST_BRANCHES = 100
const NOTHING: Ways = { exits: [], readings: [] }

/** A choice made by the engine itself. What it leads to is written with the ways out of a step. */
export const conditionStep: StepKind<ConditionNode> = {
  types: ['condition', 'conditional'],
  isMeantBy: (fields) => fields.has('condition') || fields.valueKind('branches') === 'list',
  read(about, fields, context) {
    const { ways, hasDefault } = readChoice(fields, context)
    const { exits, readings } = joined([ways, readWay(fields, 'fallback_action', 'failed')])
    return draftStep({ ...about, kind: 'condition' }, fields.place, {
      exits,
      readings,
      ...(hasDefault ? {} : { fallsThroughOn: 'done' }),
    })
  },
  write: () => ({}),
  properties: {
    condition: condition('The choice between if_true and if_false.'),
    if_true: stepName('Where to go when the condition holds.'),
    if_false: ref('wayOrNone', 'Where to go when it does not; absent: the step after this one.'),
    branches: {
      type: 'array',
      description: 'Conditions in order; the first that holds is taken.',
      minItems: 1,
      items: mapping(
        { when: condition('When this way is taken.'), next: stepName('The step it leads to, or end.') },
        ['when', 'next'],
      ),
    },
    default: ref('wayOrNone', 'Where to go when none holds; absent: the step after this one.'),
  },
  rules: { oneOf: [{ required: ['condition', 'if_true'] }, { required: ['branches'] }] },
}

function readChoice(fields: Fields, context: StepContext): { ways: Ways; hasDefault: boolean } {
  if (fields.has('branches')) return readBranches(fields, context)
  // A list of edges may hold the conditions instead.
  if (!context.inSequence && !fields.has('condition') && !fields.has('if_true'))
    return { ways: NOTHING, hasDefault: true }
  return readIfElse(fields, context)
}

function readIfElse(fields: Fields, context: StepContext): { ways: Ways; hasDefault: boolean } {
  const tree = fields.take('condition')?.value
  fields.missing('condition', 'missing_key', 'Write the condition, as quality.confidence > 0.8.')
  fields.missing('if_true', 'missing_key', 'Name the step to go to when the condition holds, or end.')
  const ifTrue = fields.reference('if_true')
  const when = tree && readExpression(tree, { wants: 'boolean', sees: 'after' }, context)
  const hasDefault = fields.has('if_false')
  return {
    ways: joined([
      { exits: conditionalExit('done', ifTrue, when?.text), readings: when ? [when.reading] : [] },
      readDefault(fields, 'if_false'),
    ]),
    hasDefault,
  }
}

function readBranches(fields: Fields, context: StepContext): { ways: Ways; hasDefault: boolean } {
  const list = fields.take('branches')?.value
  const items = list?.kind === 'list' ? list.items : []
  if (items.length === 0 || items.length > MOST_BRANCHES)
    context.problems.add(
      items.length === 0 ? 'wrong_type' : 'too_complex',
      list ?? fields.place,
      `"branches" must be a list of 1 to ${MOST_BRANCHES} branches.`,
      'Each branch is {when: <expression>, next: <step>}.',
    )
  const branches = items.slice(0, MOST_BRANCHES).map((item) => readConditionalWay(item, 'done', context))
  return { ways: joined([...branches, readDefault(fields, 'default')]), hasDefault: fields.has('default') }
}

/** A step, or an empty list: nothing follows. */
function readDefault(fields: Fields, key: string): Ways {
  return fields.isEmptyList(key) ? NOTHING : readWay(fields, key, 'done')
}
