import type { InputBinding } from './definition.ts'
import type { Reading, StepContext } from './draft-step.ts'
import type { Place, ProblemList } from './problem.ts'
import { readExpression } from './read-expression.ts'
import { isIdentifier } from './read-fields.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** What a step is given, and what is read for it. */
export type ReadInputs = { readonly bindings: readonly InputBinding[]; readonly readings: readonly Reading[] }

/** The name under which a compensation finds what its step produced. */
export const STEP_OUTPUT = '$output'

const MOST_INPUTS = 100
const HINT =
  'Write one name, a list of names, or a mapping of parameter: name (name.field reaches into a value, "= ..." computes one).'

/**
 * Reads `input: name`, `input: [name, name]` or `input: {parameter: name.field, other: "= size(names)"}`; numbers, true and
 * false stand for themselves. `also` are names beyond identifiers that a path may begin with.
 */
export function readInputs(tree: Tree, context: StepContext, also: readonly string[] = []): ReadInputs {
  const { problems } = context
  const bindings: InputBinding[] = []
  const readings: Reading[] = []
  if (tree.kind === 'map') {
    for (const { key, keyPlace, value } of within(tree.entries, tree, problems)) {
      if (!isIdentifier(key, keyPlace, problems)) continue
      if (isComputed(value)) {
        const computed = readExpression(value, { wants: 'any' }, context)
        if (!computed) continue
        bindings.push({ param: key, value: computed.text })
        readings.push(computed.reading)
      } else {
        const path = pathOf(value, also, problems)
        if (!path) continue
        bindings.push({ param: key, path })
        readings.push({ place: value, names: path.slice(0, 1), path, sees: 'before' })
      }
    }
    return { bindings, readings }
  }
  const seen = new Set<string>()
  for (const item of within(tree.kind === 'list' ? tree.items : [tree], tree, problems)) {
    const name = nameOf(item, problems)
    if (name === undefined || !isIdentifier(name, item, problems)) continue
    if (seen.has(name)) {
      problems.add('duplicate_key', item, `"${name}" stands twice in this list.`, 'Remove one of them.')
      continue
    }
    seen.add(name)
    bindings.push({ param: name, path: [name] })
    readings.push({ place: item, names: [name], path: [name], sees: 'before' })
  }
  return { bindings, readings }
}

function isComputed(tree: Tree): boolean {
  if (tree.kind !== 'scalar') return false
  return typeof tree.value === 'string' ? /^\s*=/.test(tree.value) : tree.value !== null
}

function pathOf(tree: Tree, also: readonly string[], problems: ProblemList): string[] | undefined {
  const path = nameOf(tree, problems)?.split('.')
  const [first = '', ...fields] = path ?? []
  const isPath =
    (also.includes(first) || isIdentifier(first, tree, problems)) &&
    fields.every((name) => isIdentifier(name, tree, problems))
  return isPath ? path : undefined
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
