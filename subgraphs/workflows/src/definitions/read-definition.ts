import { suggestName } from '@tutti/runtime'
import { checkGraph } from './check-graph.ts'
import { checkInputs } from './check-inputs.ts'
import type { WorkflowDefinition } from './definition.ts'
import { linkSteps } from './link-steps.ts'
import type { LinkedSteps } from './link-steps.ts'
import { ProblemList } from './problem.ts'
import type { DefinitionProblem } from './problem.ts'
import { readErrorHandling } from './read-error-handling.ts'
import type { DraftErrorHandling } from './read-error-handling.ts'
import { Fields, isIdentifier } from './read-fields.ts'
import { readListedSteps } from './read-listed-steps.ts'
import { readNumberedSteps } from './read-numbered-steps.ts'
import type { StepGroups } from './read-numbered-steps.ts'
import { readObjectTree } from './read-object-tree.ts'
import { readYamlTree } from './read-yaml-tree.ts'
import { kindOf, shorten } from './tree.ts'
import type { Tree } from './tree.ts'

/** A definition that can run, or everything that is wrong with it, in the order of the text. */
export type ReadResult =
  | { readonly ok: true; readonly definition: WorkflowDefinition }
  | { readonly ok: false; readonly problems: readonly DefinitionProblem[] }

/** What a reader needs to know besides the text. */
export type ReadOptions = {
  /** The agents of the organization; absent, agents are not checked. */
  readonly knownAgents?: Iterable<string> | ((name: string) => boolean)
}

const MOST_STEPS = 500

/**
 * Reads a workflow from YAML or JSON text, or from a plain object. Never throws, whatever it is given, and takes time
 * bounded by the limits of `TREE_LIMITS`.
 *
 * Two languages, told apart by their steps: the numbered steps of the seed (a mapping `1_name: ...`, the whole under a
 * key of its own or not) and the platform's own (`format: tutti/1`, a list of steps with a `name` each).
 */
export function readDefinition(source: unknown, options: ReadOptions = {}): ReadResult {
  const problems = new ProblemList()
  const tree = typeof source === 'string' ? readYamlTree(source, problems) : readObjectTree(source, problems)
  const definition = tree && readWorkflow(tree, options, problems)
  if (definition && problems.empty) return { ok: true, definition }
  return { ok: false, problems: problems.inOrder() }
}

function readWorkflow(
  root: Tree,
  options: ReadOptions,
  problems: ProblemList,
): WorkflowDefinition | undefined {
  const { tree, wrapper } = unwrap(root)
  if (tree.kind !== 'map') {
    problems.add(
      'wrong_type',
      tree,
      `A workflow must be a mapping, not ${kindOf(tree)}.`,
      'Write name and steps.',
    )
    return undefined
  }
  const fields = new Fields(tree, tree, problems)
  const name = fields.text('name') ?? wrapper
  if (wrapper === undefined) fields.missing('name', 'missing_key', 'Give the workflow a name.')
  const description = fields.text('description')
  const trigger = fields.text('trigger')
  const written = fields.text('format')
  const declared = readDeclaredInputs(fields.take('inputs')?.value, problems)
  const handlingEntry = fields.take('error_handling')
  const handling = readErrorHandling(handlingEntry?.value, handlingEntry?.keyPlace ?? tree, problems)
  const stepsTree = fields.take('steps')?.value
  fields.missing('steps', 'missing_key', 'Write the steps.')
  fields.refuseOthers()

  const format = stepsTree?.kind === 'list' ? 'tutti/1' : 'numbered-steps'
  if (written !== undefined && written !== format) {
    problems.add(
      'unknown_format',
      fields.take('format')?.value ?? tree,
      `The format "${shorten(written)}" does not fit.`,
      'A list of steps is "tutti/1", a mapping of numbered steps is "numbered-steps".',
    )
  }
  const groups = stepsTree ? readSteps(stepsTree, handling, problems) : []
  const first = groups[0]?.[0]
  if (!first) return undefined
  if ((groups[0]?.length ?? 0) > 1)
    problems.add(
      'ambiguous_next',
      first.place,
      'The workflow begins with alternatives.',
      'Begin with one step, and let a conditional step choose.',
    )

  const linked = linkSteps(groups, handling.fallback, problems)
  const entry = first.node.id
  checkGraph(linked, entry, problems)
  checkAgents(linked, options, problems)
  const inputs = checkInputs(linked, entry, { declared, trigger }, problems)
  return {
    format,
    name: name ?? '',
    ...(description === undefined ? {} : { description }),
    ...(trigger === undefined ? {} : { trigger }),
    entry,
    inputs,
    order: [...linked.steps.keys()],
    nodes: linked.nodes,
    edges: linked.edges.map(({ edge }) => edge),
    errorHandling: {
      retry: handling.retry,
      timeoutMs: handling.timeoutMs,
      ...(linked.fallback === undefined ? {} : { fallback: linked.fallback }),
    },
  }
}

/** The seed puts the workflow under a key with its name. */
function unwrap(root: Tree): { tree: Tree; wrapper?: string } {
  const [entry, ...others] = root.kind === 'map' ? root.entries : []
  const isWrapper =
    entry?.value.kind === 'map' &&
    others.length === 0 &&
    entry.key !== 'steps' &&
    entry.key !== 'error_handling'
  return isWrapper ? { tree: entry.value, wrapper: entry.key } : { tree: root }
}

function readSteps(tree: Tree, handling: DraftErrorHandling, problems: ProblemList): StepGroups {
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
  return tree.kind === 'map'
    ? readNumberedSteps(tree, handling, problems)
    : readListedSteps(tree, handling, problems)
}

function readDeclaredInputs(tree: Tree | undefined, problems: ProblemList): string[] | undefined {
  if (!tree) return undefined
  const items = tree.kind === 'list' ? tree.items : [tree]
  const names = items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string')
      return isIdentifier(item.value, item, problems) ? [item.value] : []
    problems.add(
      'wrong_type',
      item,
      `"inputs" holds ${kindOf(item)}.`,
      'List the names of the payload: inputs: [customer_message].',
    )
    return []
  })
  return [...new Set(names)]
}

function checkAgents(linked: LinkedSteps, { knownAgents }: ReadOptions, problems: ProblemList): void {
  if (knownAgents === undefined) return
  const names = typeof knownAgents === 'function' ? undefined : new Set(knownAgents)
  for (const { node, agentPlace, place } of linked.steps.values()) {
    if (node.kind !== 'task' || node.agent === '') continue
    const known = typeof knownAgents === 'function' ? knownAgents(node.agent) : names?.has(node.agent)
    if (known) continue
    const similar = names && suggestName(node.agent, names)
    problems.add(
      'unknown_agent',
      agentPlace ?? place,
      `There is no agent "${shorten(node.agent)}".`,
      similar ? `Did you mean "${similar}"?` : 'Register the agent first, or correct the name.',
    )
  }
}
