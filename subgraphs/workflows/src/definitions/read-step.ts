import type { WorkflowNode } from './definition.ts'
import type { DraftStep, StepContext } from './draft-step.ts'
import { kindOfKeys, KINDS_BY_TYPE, STEP_KINDS } from './kinds/step-kinds.ts'
import type { Place } from './problem.ts'
import { Fields } from './read-fields.ts'
import { kindOf, shorten } from './tree.ts'
import type { Tree } from './tree.ts'

/** Steps that one definition may have, those inside steps included. */
export const MOST_STEPS = 500

/** Reads the body of one step; undefined when it is no step at all. `id` is its name without number prefix. */
export function readStep(id: string, tree: Tree, place: Place, context: StepContext): DraftStep | undefined {
  const { problems, left } = context
  left.steps -= 1
  if (left.steps < 0) {
    if (left.steps === -1)
      problems.add('too_complex', place, `The workflow has more than ${MOST_STEPS} steps.`, 'Split it.')
    return undefined
  }
  if (tree.kind !== 'map') {
    problems.add(
      'wrong_type',
      tree,
      `The step "${id}" must be a mapping, not ${kindOf(tree)}.`,
      'Give it an agent, or type: conditional, review or end.',
    )
    return undefined
  }
  const fields = new Fields(tree, place, problems)
  fields.take('name')
  const kind = kindOfStep(fields)
  const description = fields.description()
  if (!kind) return undefined
  const step = STEP_KINDS[kind].read(
    { id, ...(description === undefined ? {} : { description }) },
    fields,
    context,
  )
  fields.refuseOthers()
  return step
}

function kindOfStep(fields: Fields): WorkflowNode['kind'] | undefined {
  const written = fields.text('type')
  if (written === undefined) return kindOfKeys(fields)
  const kind = KINDS_BY_TYPE.get(written)
  if (!kind)
    fields.problems.add(
      'wrong_type',
      fields.placeOf('type'),
      `"${shorten(written)}" is no type of step.`,
      `Known: ${[...KINDS_BY_TYPE.keys()].join(', ')}.`,
    )
  return kind
}
