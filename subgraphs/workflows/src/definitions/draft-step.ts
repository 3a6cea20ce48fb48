import type { EdgeTrigger, JsonSchema, WorkflowNode } from './definition.ts'
import type { Place, Position, ProblemList } from './problem.ts'
import type { DraftErrorHandling } from './read-error-handling.ts'
import type { StepReference } from './read-fields.ts'
import type { Tree } from './tree.ts'

/** Steps inside steps inside steps ...: how deep at most. */
export const DEEPEST_BODY = 10

/** A way out of a step, before its target is looked up. */
export type DraftExit = { readonly on: EdgeTrigger; readonly to: StepReference; readonly when?: string }

/** A CEL text, and where its first character stands if the source holds it character by character. */
export type PlacedExpression = {
  readonly text: string
  readonly wants: 'boolean' | 'list' | 'any'
  readonly place: Place
  readonly textAt?: Position | undefined
}

/** Something that reads names: an expression, or a path into a value. */
export type Reading = {
  readonly place: Place
  readonly names: readonly string[]
  readonly expression?: PlacedExpression
  readonly path?: readonly string[]
  /** Before the step runs, or after it, when its own output is there too. */
  readonly sees: 'before' | 'after'
}

/** A name that a step gives a value. */
export type Made = { readonly name: string; readonly place: Place; readonly schema?: JsonSchema }

/** Something outside of the definition that it names. */
export type Mention = {
  readonly what: 'agent' | 'capability' | 'workflow'
  readonly name: string
  readonly place: Place
}

/** Steps in their order; several in one group are alternatives, of which a condition chooses one. */
export type StepGroups = readonly (readonly DraftStep[])[]

/** The steps inside a step: a branch, what is done for each item, a turn. */
export type DraftBody = {
  /** The branch's name; what else it is, for a reader of problems. */
  readonly name: string
  readonly place: Place
  readonly groups: StepGroups
  /** Names that exist in the body alone: the item and its number. */
  readonly locals: readonly Made[]
  /** What is read when the body is through (`collect`, `while`, `until`), all its names included. */
  readonly closing: readonly Reading[]
  /** Where its names are seen: after the join, in no other item, or at once. */
  readonly names: 'joined' | 'own' | 'shared'
}

/** A step as written, before the steps are linked. */
export type DraftStep = {
  readonly node: WorkflowNode
  readonly place: Place
  readonly exits: readonly DraftExit[]
  /** Set when the step after this one follows on this trigger, because nothing else was written. */
  readonly fallsThroughOn?: EdgeTrigger
  readonly readings: readonly Reading[]
  readonly makes: readonly Made[]
  readonly mentions: readonly Mention[]
  readonly bodies: readonly DraftBody[]
}

/** An edge of a graph as written: from a step on a trigger (absent: the usual one of its kind) to a step. */
export type DraftEdge = {
  readonly from: StepReference
  readonly on?: EdgeTrigger
  readonly to: StepReference
  readonly when?: string
  readonly reading?: Reading
  /** Taken in all cases that the conditions beside it leave. */
  readonly isDefault?: boolean
}

/** What reading a step needs besides its text. */
export type StepContext = {
  readonly defaults: DraftErrorHandling
  readonly problems: ProblemList
  /** False where a list of edges beside the steps says what follows what. */
  readonly inSequence: boolean
  /** How many more steps and expressions the definition may have. */
  readonly left: { steps: number; expressions: number }
  /** Reads the steps inside a step. */
  readonly readBody: (tree: Tree) => StepGroups
}

/** The id and description of a step. */
export type About = { readonly id: string; readonly description?: string }

/** A step that reads, makes and mentions nothing and has nothing inside, but for what is given. */
export function draftStep(
  node: WorkflowNode,
  place: Place,
  parts: Partial<Omit<DraftStep, 'node' | 'place'>> = {},
): DraftStep {
  return { node, place, exits: [], readings: [], makes: [], mentions: [], bodies: [], ...parts }
}
