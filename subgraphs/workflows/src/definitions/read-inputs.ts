import type { InputBinding } from './definition.ts'
import type { Place, ProblemList } from './problem.ts'
import { isIdentifier } from './read-fields.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** An input with the place it is written at. */
export type PlacedInput = { readonly binding: InputBinding; readonly place: Place }

const MOST_INPUTS = 100
const HINT =
  'Write one name, a list of names, or a mapping of parameter: name (name.field reaches into a value).'

/** Reads `input: name`, `input: [name, name]` or `input: {parameter: name.field}`. */
export function readInputs(tree: Tree, problems: ProblemList): PlacedInput[] {
  if (tree.kind === 'map') {
    return within(tree.entries, tree, problems).flatMap(({ key, keyPlace, value }) => {
      const path = isIdentifier(key, keyPlace, problems) ? pathOf(value, problems) : undefined
      return path ? [{ binding: { param: key, path }, place: value }] : []
    })
  }
  const seen = new Set<string>()
  return within(tree.kind === 'list' ? tree.items : [tree], tree, problems).flatMap((item) => {
    const name = nameOf(item, problems)
    if (name === undefined || !isIdentifier(name, item, problems)) return []
    if (seen.has(name)) {
      problems.add('duplicate_key', item, `"${name}" stands twice in this list.`, 'Remove one of them.')
      return []
    }
    seen.add(name)
    return [{ binding: { param: name, path: [name] }, place: item }]
  })
}

function pathOf(tree: Tree, problems: ProblemList): string[] | undefined {
  const path = nameOf(tree, problems)?.split('.')
  return path?.every((name) => isIdentifier(name, tree, problems)) ? path : undefined
}

function nameOf(tree: Tree, problems: ProblemList): string | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'string') return tree.value
  problems.add('wrong_type', tree, `An input is ${kindOf(tree)}.`, HINT)
  return undefined
}

function within<T>(items: readonly T[], place: Place, problems: ProblemList): readonly T[] {
  if (items.length <= MOST_INPUTS) return items
  problems.add('too_complex', place, `The step has ${items.length} inputs.`, `At most ${MOST_INPUTS}.`)
  return []
}
