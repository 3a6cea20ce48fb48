import { DEEPEST_BODY } from './draft-step.ts'
import type { StepContext, StepGroups } from './draft-step.ts'
import type { ProblemList } from './problem.ts'
import type { DraftErrorHandling } from './read-error-handling.ts'
import { MOST_EXPRESSIONS } from './read-expression.ts'
import { readListedSteps } from './read-listed-steps.ts'
import { readNumberedSteps } from './read-numbered-steps.ts'
import { MOST_STEPS } from './read-step.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** What reading the steps of one definition needs; made once, since it counts. */
export function newStepContext(
  defaults: DraftErrorHandling,
  problems: ProblemList,
  inSequence: boolean,
): StepContext {
  const left = { steps: MOST_STEPS, expressions: MOST_EXPRESSIONS }
  const contextAt = (depth: number): StepContext => ({
    defaults,
    problems,
    // A body is always a list, whatever the definition around it is.
    inSequence: inSequence || depth > 0,
    left,
    readBody: (tree) => {
      if (depth < DEEPEST_BODY) return readBody(tree, contextAt(depth + 1))
      problems.add(
        'too_complex',
        tree,
        'Steps stand in steps too deeply.',
        `At most ${DEEPEST_BODY} levels; use sub-workflows.`,
      )
      return []
    },
  })
  return contextAt(0)
}

/** Reads the steps of a workflow: a mapping of numbered ones, or a list. */
export function readSteps(tree: Tree, context: StepContext): StepGroups {
  const { problems } = context
  const count = tree.kind === 'map' ? tree.entries.length : tree.kind === 'list' ? tree.items.length : 0
  if (tree.kind === 'scalar' || count === 0) {
    problems.add(
      'wrong_type',
      tree,
      `"steps" holds ${tree.kind === 'scalar' ? kindOf(tree) : 'no step'}.`,
      'Write a mapping (1_first: ..., 2_second: ...) or a list of steps.',
    )
    return []
  }
  if (count > MOST_STEPS) {
    problems.add('too_complex', tree, `The workflow has ${count} steps.`, `At most ${MOST_STEPS}; split it.`)
    return []
  }
  return tree.kind === 'map' ? readNumberedSteps(tree, context) : readListedSteps(tree, context)
}

function readBody(tree: Tree, context: StepContext): StepGroups {
  if (tree.kind === 'list' && tree.items.length > 0) return readSteps(tree, context)
  context.problems.add(
    'wrong_type',
    tree,
    `The steps inside a step must be a list, not ${tree.kind === 'list' ? 'an empty one' : kindOf(tree)}.`,
    'Each is a mapping with a name: [{name: draft, agent: writer}].',
  )
  return []
}
