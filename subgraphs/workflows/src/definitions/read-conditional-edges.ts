import type { DraftEdge, StepContext } from './draft-step.ts'
import { readExpression } from './read-expression.ts'
import type { ReadExpression } from './read-expression.ts'
import { Fields } from './read-fields.ts'
import type { StepReference } from './read-fields.ts'
import { kindOf } from './tree.ts'
import type { Tree, TreeEntry } from './tree.ts'

const MOST_EDGES = 500
const MOST_PATHS = 100
const HINT =
  'As {from: review, condition: score < 0.8, paths: {true: ask, false: publish}}; a condition with a text has paths by that text.'

/**
 * Reads `conditional_edges`: `{from, condition, paths}`, where the condition's value says which path is taken, and
 * `default` which one for all other values.
 */
export function readConditionalEdges(fields: Fields, context: StepContext): DraftEdge[] {
  const tree = fields.take('conditional_edges')?.value
  if (!tree) return []
  if (tree.kind === 'list' && tree.items.length <= MOST_EDGES)
    return tree.items.flatMap((item) => readChoice(item, context))
  context.problems.add(
    tree.kind === 'list' ? 'too_complex' : 'wrong_type',
    tree,
    `"conditional_edges" must be a list of ${MOST_EDGES} at most, not ${kindOf(tree)}.`,
    HINT,
  )
  return []
}

function readChoice(tree: Tree, context: StepContext): DraftEdge[] {
  const { problems } = context
  if (tree.kind !== 'map') {
    problems.add('wrong_type', tree, `A conditional edge must be a mapping, not ${kindOf(tree)}.`, HINT)
    return []
  }
  const fields = new Fields(tree, tree, problems)
  for (const key of ['from', 'condition', 'paths']) fields.missing(key, 'missing_key', HINT)
  const from = fields.reference('from')
  const conditionTree = fields.take('condition')?.value
  const pathsTree = fields.take('paths')?.value
  const otherwise = fields.reference('default')
  fields.refuseOthers()
  const paths = pathsTree?.kind === 'map' ? pathsTree.entries : []
  if (pathsTree && (paths.length === 0 || paths.length > MOST_PATHS))
    problems.add('wrong_type', pathsTree, `"paths" must be a mapping of 1 to ${MOST_PATHS} paths.`, HINT)
  const isYesOrNo = paths.every(({ key }) => truthOf(key) !== undefined)
  const condition =
    conditionTree &&
    readExpression(conditionTree, { wants: isYesOrNo ? 'boolean' : 'any', sees: 'after' }, context)
  if (!from) return []
  const edges = paths
    .slice(0, MOST_PATHS)
    .flatMap((path) => readPath(path, from, condition, isYesOrNo && paths.length > 1, context))
  return otherwise ? [...edges, { from, to: otherwise, isDefault: true }] : edges
}

function readPath(
  { key, value }: TreeEntry,
  from: StepReference,
  condition: ReadExpression | undefined,
  hasBoth: boolean,
  { problems }: StepContext,
): DraftEdge[] {
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || value.value === '') {
    problems.add('wrong_type', value, `A path leads to a step, not to ${kindOf(value)}.`, HINT)
    return []
  }
  const to = { name: value.value, place: value }
  const truth = truthOf(key)
  if (truth === false && hasBoth) return [{ from, to, isDefault: true }]
  const reading = condition ? { reading: condition.reading } : {}
  return [{ from, to, when: condition ? whenIs(condition.text, truth ?? key) : 'false', ...reading }]
}

function truthOf(key: string): boolean | undefined {
  const word = key.toLowerCase()
  return word === 'true' || word === 'false' ? word === 'true' : undefined
}

function whenIs(condition: string, value: string | boolean): string {
  if (value === true) return condition
  if (value === false) return `!(${condition})`
  const isNumber = /^-?\d+(?:\.\d+)?$/.test(value)
  return `(${condition}) == ${isNumber ? value : JSON.stringify(value)}`
}
