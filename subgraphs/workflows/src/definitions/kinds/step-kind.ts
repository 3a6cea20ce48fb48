import type { ErrorHandling, JsonSchema, NodeId, WorkflowNode } from '../definition.ts'
import type { About, DraftStep, StepContext } from '../draft-step.ts'
import type { Fields } from '../read-fields.ts'

/** A step as a document of the platform's own format has it. */
export type WrittenStep = Readonly<Record<string, unknown>>

/** What writing a step needs besides its node. */
export type StepWriter = {
  readonly errorHandling: ErrorHandling
  /** The steps of a body, from its first on. */
  readonly body: (compound: NodeId, entry: NodeId) => readonly WrittenStep[]
}

/**
 * One kind of step: how it is read, how it is written back, and what an editor may offer. Name, type, description and
 * the ways out of it are written by the writer itself.
 */
export type StepKind<Node extends WorkflowNode> = {
  /** What `type` may say; the first one is written where the keys do not tell. */
  readonly types: readonly string[]
  /** Whether its keys tell the kind when `type` is not written. */
  readonly isMeantBy: (fields: Fields) => boolean
  readonly read: (about: About, fields: Fields, context: StepContext) => DraftStep
  readonly write: (node: Node, writer: StepWriter) => WrittenStep
  /** The JSON Schema of its own keys, and which of them must be there. */
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  /** Further conditions, as `anyOf`. */
  readonly rules?: Readonly<Record<string, unknown>>
}

/** The entries that have a value. */
export function present(entries: Readonly<Record<string, unknown>>): WrittenStep {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
}
