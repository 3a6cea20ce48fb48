/** The id of a node: the step's name without its number prefix. A step's path begins with it. */
export type NodeId = string

/** How often and how fast a step is tried again. */
export type RetryPolicy = {
  /** Tries in all, the first included: the seed's `retry_attempts: 3` is 4. */
  readonly maxAttempts: number
  /** Wait before the second try, in milliseconds; each further wait is `factor` times the one before. */
  readonly initialDelayMs: number
  readonly factor: number
  /** No backoff is longer than this, in milliseconds. */
  readonly maxDelayMs: number
}

/** One named value handed to a step: `param` is the name the step sees, `path` the value's name and the fields below it. */
export type InputBinding = { readonly param: string; readonly path: readonly string[] }

type NodeBase = {
  readonly id: NodeId
  /** What a reader sees in lists; absent when the author wrote none. */
  readonly description?: string
}

/** Work of an agent. */
export type TaskNode = NodeBase & {
  readonly kind: 'task'
  readonly agent: string
  readonly inputs: readonly InputBinding[]
  /** Name under which the result enters the run's state; absent: the result is kept on the task alone. */
  readonly output?: string
  readonly retry: RetryPolicy
  /** Limit of one attempt, in milliseconds. */
  readonly timeoutMs: number
}

/** A choice made by the engine itself: its edges carry the conditions. */
export type ConditionNode = NodeBase & { readonly kind: 'condition' }

/** A person's decision. Waiting for it counts toward no timeout but its own deadline. */
export type ReviewNode = NodeBase & {
  readonly kind: 'review'
  /** The role that may decide. */
  readonly role: string
  readonly question: string
  readonly inputs: readonly InputBinding[]
  readonly output?: string
  /** Time to decide, in milliseconds; absent: as long as it takes. */
  readonly deadlineMs?: number
}

/** A named end. */
export type EndNode = NodeBase & { readonly kind: 'end' }

/** A step, or an end. Later shapes (map, join, loop, wait, sub-workflow) are further members. */
export type WorkflowNode = TaskNode | ConditionNode | ReviewNode | EndNode

/** What must have happened at `from` for an edge to be taken. */
export type EdgeTrigger = 'done' | 'approved' | 'rejected' | 'expired' | 'failed'

/**
 * A way from one node to another. Of the edges with the right trigger the first, in the order of the list, whose `when`
 * holds (or that has none) is taken; where none is, the run completes.
 */
export type Edge = {
  readonly from: NodeId
  readonly to: NodeId
  readonly on: EdgeTrigger
  /** A CEL expression over trigger payload and outputs, with a boolean result. */
  readonly when?: string
}

/** The defaults an author declared; every node holds its effective values itself, every way out is an edge. */
export type ErrorHandling = {
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly fallback?: NodeId
}

/** A checked workflow, plain JSON: what is stored for a version and what the engine's core runs. */
export type WorkflowDefinition = {
  /** The language it was written in. */
  readonly format: 'numbered-steps' | 'tutti/1'
  readonly name: string
  readonly description?: string
  /** The event that starts it. */
  readonly trigger?: string
  readonly entry: NodeId
  /** Names of the trigger's payload that the steps use. */
  readonly inputs: readonly string[]
  /** The steps in the author's order, which JSON in a database does not keep. */
  readonly order: readonly NodeId[]
  readonly nodes: Readonly<Record<NodeId, WorkflowNode>>
  readonly edges: readonly Edge[]
  readonly errorHandling: ErrorHandling
}
