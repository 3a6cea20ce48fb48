import type { DraftStep, StepContext, StepGroups } from './draft-step.ts'
import { isStepName } from './read-fields.ts'
import { readStep } from './read-step.ts'
import { shorten } from './tree.ts'
import type { Tree } from './tree.ts'

const KEY = /^(\d{1,6})([a-z]?)_(.+)$/s

/**
 * Reads the seed's steps: a mapping whose keys are number, letter of an alternative, name (`7a_send_response`). The
 * numbers give the order, wherever the keys stand.
 */
export function readNumberedSteps(tree: Tree & { kind: 'map' }, context: StepContext): StepGroups {
  const { problems } = context
  const groups = new Map<number, { letter: string; step: DraftStep }[]>()
  for (const { key, keyPlace, value } of tree.entries) {
    const [, digits, letter = '', name] = KEY.exec(key) ?? []
    if (digits === undefined || name === undefined) {
      problems.add(
        'invalid_step_number',
        keyPlace,
        `The step "${shorten(key)}" has no number.`,
        'Begin it with its number: 1_analysis, 2_answer, 7a_send, 7b_escalate.',
      )
      continue
    }
    if (!isStepName(name, keyPlace, problems)) continue
    const step = readStep(name, value, keyPlace, context)
    if (!step) continue
    const group = groups.get(Number(digits)) ?? []
    if (group.some((other) => other.letter === letter || other.letter === '' || letter === '')) {
      problems.add(
        'invalid_step_number',
        keyPlace,
        `The number ${digits}${letter} is used by another step.`,
        `Give each step its own number, or letters to alternatives: ${digits}a, ${digits}b.`,
      )
    }
    group.push({ letter, step })
    groups.set(Number(digits), group)
  }
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([, group]) => group.toSorted((a, b) => (a.letter < b.letter ? -1 : 1)).map(({ step }) => step))
}
