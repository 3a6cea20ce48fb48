import type { StepContext, StepGroups } from './draft-step.ts'
import { isStepName } from './read-fields.ts'
import { readStep } from './read-step.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** Reads the platform's own steps: a list of mappings, each with its `name`, in the order they follow one another. */
export function readListedSteps(tree: Tree & { kind: 'list' }, context: StepContext): StepGroups {
  const { problems } = context
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
    const step = readStep(name.value, item, name, context)
    return step ? [[step]] : []
  })
}
