import type { ProblemList } from './problem.ts'
import type { DraftErrorHandling } from './read-error-handling.ts'
import { isStepName } from './read-fields.ts'
import type { StepGroups } from './read-numbered-steps.ts'
import { readStep } from './read-step.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** Reads the platform's own steps: a list of mappings, each with its `name`, in the order they follow one another. */
export function readListedSteps(
  tree: Tree & { kind: 'list' },
  defaults: DraftErrorHandling,
  problems: ProblemList,
): StepGroups {
  return tree.items.flatMap((item) => {
    const name = item.kind === 'map' ? item.entries.find((entry) => entry.key === 'name')?.value : undefined
    if (name?.kind !== 'scalar' || typeof name.value !== 'string') {
      problems.add(
        'missing_key',
        item,
        `A step is ${item.kind === 'map' ? 'without a name' : kindOf(item)}.`,
        'Each step is a mapping with a name: {name: draft, agent: writer}.',
      )
      return []
    }
    if (!isStepName(name.value, name, problems)) return []
    const step = readStep(name.value, item, name, defaults, problems)
    return step ? [[step]] : []
  })
}
