import { namesIn } from './check-names.ts'
import type { DraftBody, DraftStep, Made, StepGroups } from './draft-step.ts'
import type { ProblemList } from './problem.ts'

/**
 * Notes names that two branches of a step give a value side by side, and names that already mean the item or the turn
 * where they are given a value.
 */
export function checkOutputs(groups: StepGroups, problems: ProblemList): void {
  for (const step of groups.flat()) {
    checkBranches(step, problems)
    for (const body of step.bodies) {
      checkLocals(step, body, problems)
      checkOutputs(body.groups, problems)
    }
  }
}

function checkBranches(step: DraftStep, problems: ProblemList): void {
  const branchOf = new Map<string, string>()
  for (const body of step.bodies) {
    if (body.names !== 'joined') continue
    for (const [name, [made]] of namesIn(body)) {
      const other = branchOf.get(name)
      branchOf.set(name, other ?? body.name)
      if (other === undefined || !made) continue
      problems.add(
        'conflicting_output',
        made.place,
        `The branches "${other}" and "${body.name}" of "${step.node.id}" both give "${name}" a value.`,
        'Rename one; a transform after the join can put them together.',
      )
    }
  }
}

function checkLocals(step: DraftStep, body: DraftBody, problems: ProblemList): void {
  // The turn of a loop is seen in everything inside of it, the item of a map is a name like others.
  const inside = body.names === 'shared' ? everythingIn(body.groups) : [...namesIn(body).values()].flat()
  for (const { name } of body.locals) {
    const what = step.node.kind === 'map' && step.node.as === name ? 'item' : 'number'
    for (const made of inside) {
      if (made.name !== name) continue
      problems.add(
        'conflicting_output',
        made.place,
        `"${name}" is the ${what} of "${step.node.id}" already.`,
        'Choose another name.',
      )
    }
  }
}

function everythingIn(groups: StepGroups): Made[] {
  return groups
    .flat()
    .flatMap(({ makes, bodies }) => [
      ...makes,
      ...bodies.flatMap(({ locals, groups: inner }) => [...locals, ...everythingIn(inner)]),
    ])
}
