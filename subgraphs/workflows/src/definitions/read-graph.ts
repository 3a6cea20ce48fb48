import { suggestName } from '@tutti/runtime'
import type { EdgeTrigger, WorkflowNode } from './definition.ts'
import type { DraftEdge, DraftExit, DraftStep, StepContext, StepGroups } from './draft-step.ts'
import { joinFanOuts } from './join-fan-outs.ts'
import { IMPLICIT_END } from './link-steps.ts'
import type { Place } from './problem.ts'
import { readConditionalEdges } from './read-conditional-edges.ts'
import { readExpression } from './read-expression.ts'
import { Fields, isStepName } from './read-fields.ts'
import type { StepReference } from './read-fields.ts'
import { readStep } from './read-step.ts'
import { kindOf, shorten } from './tree.ts'
import type { Tree } from './tree.ts'

const TRIGGERS: readonly EdgeTrigger[] = ['done', 'approved', 'rejected', 'expired', 'failed']
const STARTS = new Set(['START', '__start__'])
const ENDS = new Set(['END', '__end__', IMPLICIT_END])
const MOST_EDGES = 2_000
const HINT = 'Each edge is {from: draft, to: review}, with when: <condition> if it depends on one.'

/**
 * Reads a workflow of nodes and edges: `nodes` (a mapping of steps, or a list with names), `edges`, `conditional_edges`
 * and where it begins. The first step of the result is the entry. Ways that part without a condition run side by side.
 */
export function readGraph(fields: Fields, context: StepContext): StepGroups {
  const nodes = readNodes(fields, context)
  const edges = [...readEdges(fields, context), ...readConditionalEdges(fields, context)]
  const entries = readEntry(fields, edges)
  if (nodes.length === 0) return []
  const outgoing = Map.groupBy(
    edges.filter(({ from }) => !STARTS.has(from.name)),
    ({ from }) => from.name,
  )
  const steps = nodes.map((node) => withEdges(node, outgoing.get(node.node.id) ?? [], context))
  noteUnknownSources(outgoing, steps, context)
  for (const step of steps) checkWaysOut(step, context)
  const known = new Set(steps.map(({ node }) => node.id))
  for (const { name, place } of entries) {
    if (known.has(name)) continue
    const similar = suggestName(name, known)
    const hint = similar ? `Did you mean "${similar}"?` : 'Name the node that begins.'
    context.problems.add('unknown_step', place, `There is no node "${shorten(name)}".`, hint)
  }
  const joined = joinFanOuts(steps, entries, context.problems)
  return joined.map((step) => [step])
}

function readNodes(fields: Fields, context: StepContext): DraftStep[] {
  const tree = fields.take('nodes')?.value
  fields.missing('nodes', 'missing_key', 'Write the steps: nodes: {draft: {agent: writer}}.')
  if (!tree) return []
  const { problems } = context
  if (tree.kind === 'scalar' || (tree.kind === 'list' ? tree.items : tree.entries).length === 0) {
    problems.add(
      'wrong_type',
      tree,
      `"nodes" holds ${tree.kind === 'scalar' ? kindOf(tree) : 'no step'}.`,
      'As nodes: {draft: {agent: writer}}.',
    )
    return []
  }
  const named =
    tree.kind === 'map'
      ? tree.entries.map(({ key, keyPlace, value }) => ({ name: key, place: keyPlace, body: value }))
      : tree.items.flatMap((item) => {
          const name = item.kind === 'map' ? item.entries.find(({ key }) => key === 'name')?.value : undefined
          if (name?.kind === 'scalar' && typeof name.value === 'string')
            return [{ name: name.value, place: name, body: item }]
          problems.add('missing_key', item, 'A node is without a name.', 'As {name: draft, agent: writer}.')
          return []
        })
  return named.flatMap(({ name, place, body }) => {
    if (!isStepName(name, place, problems) || isReserved(name, place, context)) return []
    const step = readStep(name, body, place, context)
    return step ? [step] : []
  })
}

function isReserved(name: string, place: Place, { problems }: StepContext): boolean {
  if (!STARTS.has(name) && !ENDS.has(name)) return false
  problems.add(
    'invalid_name',
    place,
    `"${name}" means the begin or the end of the graph.`,
    'Give this node another name.',
  )
  return true
}

function readEdges(fields: Fields, context: StepContext): DraftEdge[] {
  const tree = fields.take('edges')?.value
  if (!tree) return []
  if (tree.kind !== 'list' || tree.items.length > MOST_EDGES) {
    const isList = tree.kind === 'list'
    context.problems.add(
      isList ? 'too_complex' : 'wrong_type',
      tree,
      isList ? `There are ${tree.items.length} edges.` : `"edges" must be a list, not ${kindOf(tree)}.`,
      isList ? `At most ${MOST_EDGES}.` : HINT,
    )
    return []
  }
  return tree.items.flatMap((item) => readEdge(item, context))
}

/** `{from, to, when, on}`; several names on either side are several edges; `[from, to]` is the shortest. */
function readEdge(tree: Tree, context: StepContext): DraftEdge[] {
  if (tree.kind === 'list' && tree.items.length === 2) {
    const [from, to] = tree.items.map((item) => references(item, context))
    return pairs(from ?? [], to ?? [], {})
  }
  if (tree.kind !== 'map') {
    context.problems.add('wrong_type', tree, `An edge must be a mapping, not ${kindOf(tree)}.`, HINT)
    return []
  }
  const own = new Fields(tree, tree, context.problems)
  for (const key of ['from', 'to']) own.missing(key, 'missing_key', HINT)
  const from = own.take('from')?.value
  const to = own.take('to')?.value
  const on = own.choice('on', TRIGGERS)
  const whenTree = own.take('when')?.value
  own.refuseOthers()
  const when = whenTree && readExpression(whenTree, { wants: 'boolean', sees: 'after' }, context)
  if (whenTree && (on === 'failed' || on === 'expired'))
    context.problems.add(
      'conflicting_keys',
      whenTree,
      `A way on ${on} has no condition.`,
      'Let it lead to a condition.',
    )
  return pairs(from ? references(from, context) : [], to ? references(to, context) : [], {
    ...(on === undefined ? {} : { on }),
    ...(whenTree ? { when: when?.text ?? 'false' } : {}),
    ...(when ? { reading: when.reading } : {}),
  })
}

function references(tree: Tree, { problems }: StepContext): StepReference[] {
  return (tree.kind === 'list' ? tree.items : [tree]).flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string' && item.value !== '')
      return [{ name: item.value, place: item }]
    problems.add('wrong_type', item, `An edge leads from and to steps, not ${kindOf(item)}.`, HINT)
    return []
  })
}

function pairs(
  from: readonly StepReference[],
  to: readonly StepReference[],
  how: Omit<DraftEdge, 'from' | 'to'>,
): DraftEdge[] {
  return from.flatMap((source) => to.map((target) => ({ ...how, from: source, to: target })))
}

function readEntry(fields: Fields, edges: readonly DraftEdge[]): StepReference[] {
  const written = ['entry_point', 'entry'].filter((key) => fields.has(key))
  const [key = 'entry_point', other] = written
  if (other !== undefined)
    fields.problems.add(
      'conflicting_keys',
      fields.placeOf(other),
      '"entry" and "entry_point" say the same.',
      'Write one of them.',
    )
  const reference = fields.reference(key)
  if (other !== undefined) fields.take(other)
  const starts = edges.filter(({ from }) => STARTS.has(from.name))
  for (const { when, to } of starts)
    if (when !== undefined)
      fields.problems.add(
        'ambiguous_next',
        to.place,
        'The graph begins with a choice.',
        'Begin with a node of type: condition.',
      )
  if (written.length === 0 && starts.length === 0)
    fields.missing('entry_point', 'missing_key', 'Name the node that begins: entry_point: draft.')
  if (reference && starts.length > 0)
    fields.problems.add(
      'conflicting_keys',
      fields.placeOf(key),
      `"${key}" stands beside an edge from START.`,
      'Write one of them.',
    )
  return reference ? [reference] : starts.map(({ to }) => to)
}

/** A node with its edges as ways out: those with conditions first, in their order; the others are for all other cases. */
function withEdges(step: DraftStep, edges: readonly DraftEdge[], { problems }: StepContext): DraftStep {
  const { fallsThroughOn: _, ...rest } = step
  const usual = step.node.kind === 'review' ? 'approved' : 'done'
  for (const { on = usual, to } of edges)
    if (!triggersOf(step.node).includes(on))
      problems.add(
        'wrong_type',
        to.place,
        `"${step.node.id}" is never ${on}.`,
        `An edge from it is on ${triggersOf(step.node).join(', ') || 'nothing: it is an end'}.`,
      )
  const added = edges.map(({ on = usual, to, when }): DraftExit => ({
    on,
    to,
    ...(when === undefined ? {} : { when }),
  }))
  const otherwise = edges.find(({ isDefault }) => isDefault)
  if (
    otherwise &&
    edges.some((edge) => edge !== otherwise && edge.when === undefined && (edge.on ?? usual) === usual)
  )
    problems.add(
      'ambiguous_next',
      otherwise.to.place,
      `"${step.node.id}" leads to "${otherwise.to.name}" in all other cases, and elsewhere too.`,
      'Remove the edge without a condition, or the way for all other cases.',
    )
  const exits = [...step.exits, ...added].map((exit) => ({
    ...exit,
    to: ENDS.has(exit.to.name) ? { ...exit.to, name: IMPLICIT_END } : exit.to,
  }))
  return {
    ...rest,
    exits: [
      ...exits.filter(({ when }) => when !== undefined),
      ...exits.filter(({ when }) => when === undefined),
    ],
    readings: [...step.readings, ...edges.flatMap(({ reading }) => (reading ? [reading] : []))],
  }
}

/** What can become of a step. */
function triggersOf(node: WorkflowNode): readonly EdgeTrigger[] {
  if (node.kind === 'end') return []
  if (node.kind === 'review') return ['approved', 'rejected', 'expired', 'failed']
  const expires = node.kind === 'wait' && node.for.type !== 'duration' && node.for.type !== 'until'
  return expires ? ['done', 'expired', 'failed'] : ['done', 'failed']
}

function noteUnknownSources(
  outgoing: ReadonlyMap<string, readonly DraftEdge[]>,
  steps: readonly DraftStep[],
  { problems }: StepContext,
): void {
  const known = new Set(steps.map(({ node }) => node.id))
  for (const [name, edges] of outgoing)
    for (const { from } of known.has(name) ? [] : edges)
      problems.add(
        'unknown_step',
        from.place,
        ENDS.has(name) ? 'Nothing leads on from the end.' : `There is no node "${name.slice(0, 80)}".`,
        `Known: ${[...known].slice(0, 20).join(', ')}.`,
      )
}

function checkWaysOut({ node, exits, place }: DraftStep, { problems }: StepContext): void {
  if (node.kind === 'review' && !exits.some(({ on }) => on === 'rejected'))
    problems.add(
      'missing_key',
      place,
      `Nothing says where "${node.id}" leads when the person rejects.`,
      `Write if_rejected: END, or an edge {from: ${node.id}, to: END, on: rejected}.`,
    )
  if (node.kind === 'condition' && !exits.some(({ when }) => when !== undefined))
    problems.add(
      'missing_key',
      place,
      `Nothing says what "${node.id}" chooses by.`,
      `Write edges with a condition: {from: ${node.id}, to: <step>, when: score > 0.8}.`,
    )
}
