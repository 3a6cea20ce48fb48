import { checkGraph } from './check-graph.ts'
import { checkMentions } from './check-mentions.ts'
import type { KnownNames, Permitted } from './check-mentions.ts'
import { checkNames } from './check-names.ts'
import { checkOutputs } from './check-outputs.ts'
import { checkTypes } from './check-types.ts'
import type { WorkflowDefinition } from './definition.ts'
import type { StepGroups } from './draft-step.ts'
import { optional } from './optional.ts'
import { linkSteps } from './link-steps.ts'
import { ProblemList } from './problem.ts'
import type { DefinitionProblem } from './problem.ts'
import { readErrorHandling } from './read-error-handling.ts'
import { Fields } from './read-fields.ts'
import { readGraph } from './read-graph.ts'
import { readObjectTree } from './read-object-tree.ts'
import { readSettings } from './read-settings.ts'
import { newStepContext, readSteps } from './read-steps.ts'
import { readYamlTree } from './read-yaml-tree.ts'
import { kindOf, shorten } from './tree.ts'
import type { Tree } from './tree.ts'

/** A definition that can run, or everything that is wrong with it, in the order of the text. */
export type ReadResult =
  | { readonly ok: true; readonly definition: WorkflowDefinition }
  | { readonly ok: false; readonly problems: readonly DefinitionProblem[] }

/** What a reader needs to know besides the text; what is absent is not checked. */
export type ReadOptions = {
  /** The agents of the organization. */
  readonly knownAgents?: KnownNames
  /** What its agents can do. */
  readonly knownCapabilities?: KnownNames
  /** Its workflows; the one that is read is always among them. */
  readonly knownWorkflows?: KnownNames
  /** Those of the above that may be named at all; what is absent is free. */
  readonly permitted?: Permitted
  /** Limit of one attempt where the document says nothing, in milliseconds; a default of the reader's own unless given. */
  readonly attemptTimeoutMs?: number
}

type Format = WorkflowDefinition['format']

const WRAPPED = ['steps', 'nodes', 'error_handling', 'schemas']

/**
 * Reads a workflow from YAML or JSON text, or from a plain object. Never throws, whatever it is given, and takes time
 * bounded by the limits of `TREE_LIMITS`.
 *
 * Three languages, told apart by their keys: the numbered steps of the seed (a mapping `1_name: ...`, the whole under a
 * key of its own or not), the platform's own (`format: tutti/1`, a list of steps with a `name` each) and nodes with edges.
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
  const name = fields.text('name') ?? wrapper ?? ''
  if (wrapper === undefined) fields.missing('name', 'missing_key', 'Give the workflow a name.')
  const description = fields.description()
  const trigger = fields.text('trigger')
  const handlingEntry = fields.take('error_handling')
  const handling = readErrorHandling(
    handlingEntry?.value,
    handlingEntry?.keyPlace ?? tree,
    problems,
    options.attemptTimeoutMs,
  )
  const format = formatOf(fields)
  const context = newStepContext(handling, problems, format !== 'graph')
  const { settings, inputs: declared, readings, schemas } = readSettings(fields, context)
  const groups: StepGroups = format === 'graph' ? readGraph(fields, context) : readSequence(fields, context)
  fields.refuseOthers()

  const [[first, second] = []] = groups
  if (!first) return undefined
  if (second)
    problems.add(
      'ambiguous_next',
      first.place,
      'The workflow begins with alternatives.',
      'Begin with one step, and let a conditional step choose.',
    )
  const linked = linkSteps(groups, handling.fallback, problems)
  const entry = first.node.id
  checkGraph(linked.top, entry, problems)
  checkMentions(groups, knownNames(options, name), problems, options.permitted)
  checkOutputs(groups, problems)
  const { inputs, resolved } = checkNames(
    linked.top,
    entry,
    { declared, trigger, readings, schemas },
    problems,
  )
  checkTypes(resolved, problems)
  return {
    format,
    name,
    ...optional('description', description),
    ...optional('trigger', trigger),
    entry,
    inputs,
    order: linked.order,
    nodes: linked.nodes,
    edges: linked.edges,
    errorHandling: {
      retry: handling.retry,
      timeoutMs: handling.timeoutMs,
      ...optional('fallback', linked.fallback),
    },
    ...settings,
  }
}

/** The seed puts the workflow under a key with its name. */
function unwrap(root: Tree): { tree: Tree; wrapper?: string } {
  const [entry, ...others] = root.kind === 'map' ? root.entries : []
  const isWrapper = entry?.value.kind === 'map' && others.length === 0 && !WRAPPED.includes(entry.key)
  return isWrapper ? { tree: entry.value, wrapper: entry.key } : { tree: root }
}

function formatOf(fields: Fields): Format {
  const written = fields.text('format')
  const isGraph = ['nodes', 'edges', 'conditional_edges', 'entry_point'].some((key) => fields.has(key))
  const format: Format = isGraph
    ? 'graph'
    : fields.valueKind('steps') === 'list'
      ? 'tutti/1'
      : 'numbered-steps'
  if (written !== undefined && written !== format)
    fields.problems.add(
      'unknown_format',
      fields.placeOf('format'),
      `The format "${shorten(written)}" does not fit.`,
      'A list of steps is "tutti/1", a mapping of numbered steps is "numbered-steps", nodes and edges are "graph".',
    )
  return format
}

function readSequence(fields: Fields, context: ReturnType<typeof newStepContext>): StepGroups {
  const steps = fields.take('steps')?.value
  fields.missing('steps', 'missing_key', 'Write the steps.')
  return steps ? readSteps(steps, context) : []
}

function knownNames(options: ReadOptions, own: string): Parameters<typeof checkMentions>[1] {
  const { knownAgents, knownCapabilities, knownWorkflows } = options
  const workflow =
    knownWorkflows === undefined || typeof knownWorkflows === 'function'
      ? knownWorkflows && ((name: string) => name === own || knownWorkflows(name))
      : [own, ...knownWorkflows]
  return { agent: knownAgents, capability: knownCapabilities, workflow }
}
