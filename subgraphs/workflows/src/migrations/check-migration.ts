import {
  IMPLICIT_END,
  type NodeId,
  type WorkflowDefinition,
  type WorkflowNode,
} from '../definitions/index.ts'
import { makes, readsAfterBody, readsOf, readsOfEdge } from './reads-of.ts'
import { afterOf, type Names, type Place, type Start, type SureNames, sureNames } from './sure-names.ts'

/** A strand of a run, as far as moving it asks. */
export interface StrandPosition {
  id: string
  parentId: string | null
  /** The compound it is a branch or item of, and which; null for the main line. */
  compound: NodeId | null
  key: string | null
  /** Names it has, those of the engine aside. */
  names: readonly string[]
  /** Its present task; null before the first. */
  task: { id: string; node: NodeId; kind: string; path: string } | null
  /** The step with which it goes on, where somebody said so. */
  entering: NodeId | null
}

/** Where a run is. */
export interface RunPosition {
  /** Names of its payload. */
  input: readonly string[]
  strands: readonly StrandPosition[]
  /** Branches and items that have arrived at an open compound, with the names that they bring, and whether well. */
  arrived: readonly { taskId: string; ok: boolean; names: readonly string[] }[]
}

/** Why a run cannot be moved. */
export interface MigrationProblem {
  code: MigrationProblemCode
  message: string
  /** The step that it is about. */
  step: NodeId | null
}

export type MigrationProblemCode =
  | 'RUN_OVER'
  | 'STEP_MISSING'
  | 'STEP_DIFFERENT'
  | 'BODY_DIFFERENT'
  | 'BRANCHES_DIFFERENT'
  | 'JOIN_DIFFERENT'
  | 'WAIT_DIFFERENT'
  | 'NAME_MISSING'
  | 'UNDOING'

/**
 * Whether a run can go on by another version from where it is; the answer is everything that is against it.
 *
 * Every step it is at must be there, of the same kind, inside the same bodies; a wait must wait for the same, an open
 * parallel or map must have the same branches and join. And what the steps to come may rely on must be there: a name that
 * the version gives a value on every way to its reader, and that this run surely has not by then, is missing. A name that
 * is null on some way anyway is nobody's to rely on.
 */
export function checkMigration(
  from: WorkflowDefinition,
  to: WorkflowDefinition,
  position: RunPosition,
): MigrationProblem[] {
  const structural = position.strands.flatMap((strand) => problemsOf(from, to, strand))
  if (structural.length > 0) return distinct(structural)
  // What it lacks on its present version too (a step was left out by hand) is no reason to stay there.
  const before = new Set(lacking(from, position).map(({ step, name }) => `${step} ${name}`))
  const lacks = lacking(to, position).filter(({ step, name }) => !before.has(`${step} ${name}`))
  return distinct(lacks.map((lack) => problemOf(to, lack)))
}

/** Ten thousand items at one step have one problem. */
const distinct = (problems: readonly MigrationProblem[]): MigrationProblem[] => [
  ...new Map(problems.map((problem) => [`${problem.code} ${problem.message}`, problem])).values(),
]

function problemsOf(
  from: WorkflowDefinition,
  to: WorkflowDefinition,
  strand: StrandPosition,
): MigrationProblem[] {
  const { task, compound, entering } = strand
  if (task?.path.endsWith('~undo'))
    return [{ code: 'UNDOING', message: 'Its steps are being undone.', step: task.node }]
  const at = task?.node ?? entering ?? compound
  if (at === null) return []
  const [before, after] = [nodeOf(from, at), nodeOf(to, at)]
  if (!after) return [{ code: 'STEP_MISSING', message: `There is no step "${at}".`, step: at }]
  if (!before || before.kind !== after.kind)
    return [
      { code: 'STEP_DIFFERENT', message: `"${at}" is a ${after.kind}, not a ${before?.kind}.`, step: at },
    ]
  if (around(from, at) !== around(to, at))
    return [
      {
        code: 'BODY_DIFFERENT',
        message: `"${at}" is inside ${around(to, at) || 'no other step'}, not ${around(from, at) || 'the run itself'}.`,
        step: at,
      },
    ]
  // A branch or item that has not begun is at its compound, which is looked at with the strand that waits there.
  return task ? differencesOf(before, after) : []
}

/** The bodies around a step, the innermost first, as a text to compare and to show. */
function around(definition: WorkflowDefinition, id: NodeId): string {
  const bodies: string[] = []
  for (let parent = nodeOf(definition, id)?.parent; parent !== undefined;) {
    const node = nodeOf(definition, parent)
    bodies.push(`the ${node?.kind} "${parent}"`)
    parent = node?.parent
  }
  return bodies.join(' inside ')
}

/** What of a step that has begun was fixed when it did. */
function differencesOf(before: WorkflowNode, after: WorkflowNode): MigrationProblem[] {
  const { id: step } = before
  if (before.kind === 'parallel' && after.kind === 'parallel' && namesOf(before) !== namesOf(after))
    return [{ code: 'BRANCHES_DIFFERENT', message: `"${step}" has the branches ${namesOf(after)}.`, step }]
  const spreads = before.kind === 'parallel' || before.kind === 'map'
  if (spreads && 'join' in after && joinOf(before) !== joinOf(after))
    return [{ code: 'JOIN_DIFFERENT', message: `"${step}" is joined otherwise.`, step }]
  if (before.kind === 'wait' && after.kind === 'wait' && keyOf(before) !== keyOf(after))
    return [{ code: 'WAIT_DIFFERENT', message: `"${step}" waits for something else.`, step }]
  if (before.kind === 'workflow' && after.kind === 'workflow' && before.wait !== after.wait)
    return [{ code: 'WAIT_DIFFERENT', message: `"${step}" does not wait for its run as before.`, step }]
  return []
}

type KindOf<Kind extends WorkflowNode['kind']> = WorkflowNode & { kind: Kind }
const namesOf = ({ branches }: KindOf<'parallel'>): string => branches.map(({ name }) => name).join(', ')
const joinOf = ({ join, onFailure }: KindOf<'parallel' | 'map'>): string =>
  `${join.mode} ${'count' in join ? join.count : ''} ${onFailure}`
const keyOf = ({ for: what }: KindOf<'wait'>): string =>
  what.type === 'signal' ? `signal ${what.name}` : what.type === 'event' ? `event ${what.event}` : 'time'

/** What is sure on the way from where a run is. */
class Way {
  /** One for every strand; those that are at the same with the same names share one. */
  readonly sures: SureNames[] = []
  readonly #definition: WorkflowDefinition
  readonly #strands: ReadonlyMap<string, StrandPosition>
  readonly #children: ReadonlyMap<string | null, readonly StrandPosition[]>
  readonly #arrived: ReadonlyMap<string, RunPosition['arrived']>
  readonly #exits = new Map<string, Names | undefined>()

  constructor(definition: WorkflowDefinition, { strands, arrived }: RunPosition) {
    this.#definition = definition
    this.#strands = new Map(strands.map((strand) => [strand.id, strand]))
    this.#children = Map.groupBy(strands, ({ parentId }) => parentId)
    this.#arrived = Map.groupBy(arrived, ({ taskId }) => taskId)
  }

  /** What is sure when a strand is over; undefined when it cannot end well. */
  exitOf(strand: StrandPosition): Names | undefined {
    const place = this.#placeOf(strand)
    if (this.#exits.has(place)) return this.#exits.get(place)
    const { sure, exit } = sureNames(this.#definition, this.#startOf(strand), strand.compound ?? undefined)
    this.sures.push(sure)
    this.#exits.set(place, exit)
    return exit
  }

  /** The same for strands whose way is the same. */
  #placeOf({ id, parentId, compound, key, names, task, entering }: StrandPosition): string {
    if (parentId === null || this.#children.has(id)) return id
    const branch = nodeOf(this.#definition, compound ?? '')?.kind === 'map' ? null : key
    return JSON.stringify([parentId, compound, branch, task?.node, entering, names.toSorted()])
  }

  #startOf(strand: StrandPosition): Start {
    const { task, entering, compound, key } = strand
    const names = this.#namesOf(strand)
    if (entering !== null && task === null) return { before: entering, names }
    if (task === null) return { before: this.#entryOf(compound, key), names }
    const node = nodeOf(this.#definition, task.node) ?? END
    // A loop rests before a turn.
    if (node.kind === 'loop') return { before: node.entry, names }
    const made = this.#madeBy(strand, node, task.id)
    const after = afterOf(node, names, made ?? [])
    if (!made) after.delete('done')
    return { at: node.id, after }
  }

  /** Its own names and those of the strands around it. */
  #namesOf(strand: StrandPosition): Names {
    const names = new Set(strand.names)
    for (let parent = this.#parentOf(strand); parent; parent = this.#parentOf(parent))
      for (const name of parent.names) names.add(name)
    return names
  }

  /**
   * What the branches bring that must all arrive well: those under way as they will end, those that arrived as they did.
   * Undefined when one of them did not, or cannot: then the step is not done any more.
   */
  #madeBy(strand: StrandPosition, node: WorkflowNode, taskId: string): string[] | undefined {
    const exits = (this.#children.get(strand.id) ?? []).map((child) => this.exitOf(child))
    if (node.kind !== 'parallel' || node.join.mode !== 'all' || node.onFailure !== 'fail') return []
    const arrived = this.#arrived.get(taskId) ?? []
    if (exits.includes(undefined) || arrived.some(({ ok }) => !ok)) return undefined
    return [...exits.flatMap((exit) => [...(exit ?? [])]), ...arrived.flatMap(({ names }) => names)]
  }

  #parentOf({ parentId }: StrandPosition): StrandPosition | undefined {
    return parentId === null ? undefined : this.#strands.get(parentId)
  }

  #entryOf(compound: NodeId | null, key: string | null): NodeId {
    if (compound === null) return this.#definition.entry
    const node = nodeOf(this.#definition, compound)
    if (node?.kind === 'map') return node.entry
    const branch = node?.kind === 'parallel' ? node.branches.find(({ name }) => name === key) : undefined
    return branch?.entry ?? IMPLICIT_END
  }
}

const END: WorkflowNode = { id: IMPLICIT_END, kind: 'end' }

/** A name that a version is sure of where a step reads it, and a run is not. */
interface Lack {
  step: NodeId
  name: string
}

function lacking(definition: WorkflowDefinition, position: RunPosition): Lack[] {
  const usual = sureNames(definition, { before: definition.entry, names: new Set() }).sure
  const input = new Set(position.input)
  const way = new Way(definition, position)
  for (const strand of position.strands) way.exitOf(strand)
  return way.sures.flatMap((sure) =>
    [...sure].flatMap(([place, names]) => {
      const { step, reads } = readersAt(definition, place)
      const lacks = reads.filter(
        (name) => !names.has(name) && !input.has(name) && usual.get(place)?.has(name),
      )
      return lacks.map((name) => ({ step, name }))
    }),
  )
}

function problemOf(definition: WorkflowDefinition, { step, name }: Lack): MigrationProblem {
  const makers = definition.order.filter((id) => makes(nodeOf(definition, id), name))
  const past = makers.length > 0 ? ` It is made by "${makers.join('", "')}", which is past.` : ''
  return { code: 'NAME_MISSING', message: `"${step}" reads "${name}", which this run has not.${past}`, step }
}

/** What is read at a place; the number of a loop's turn is always there. */
function readersAt(definition: WorkflowDefinition, place: Place): { step: NodeId; reads: readonly string[] } {
  // A step's id may hold spaces; what is before and after it holds none.
  const [, what, rest = ''] = /^(\w+) (.*)$/s.exec(place) ?? []
  const [, step = rest, trigger] = what === 'after' ? (/^(.*) (\w+)$/s.exec(rest) ?? []) : []
  const node = nodeOf(definition, step)
  const reads = !node
    ? []
    : what === 'at'
      ? [...readsOf(node)]
      : what === 'through'
        ? readsAfterBody(node)
        : definition.edges.filter((edge) => edge.from === step && edge.on === trigger).flatMap(readsOfEdge)
  const turns = new Set<string>()
  for (
    let at: WorkflowNode | undefined = node;
    at;
    at = at.parent === undefined ? undefined : nodeOf(definition, at.parent)
  )
    if (at.kind === 'loop' && at.indexAs !== undefined) turns.add(at.indexAs)
  return { step, reads: reads.filter((name) => !turns.has(name)) }
}

const nodeOf = ({ nodes }: WorkflowDefinition, id: NodeId): WorkflowNode | undefined =>
  Object.hasOwn(nodes, id) ? nodes[id] : undefined
