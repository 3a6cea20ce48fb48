import type { Action, Classification, Risk } from '@tutti/schema'

/** The id of a node: the step's name without its number prefix. A step's path ends with it. */
export type NodeId = string

/** A CEL expression over the names a step can see. */
export type Expression = string

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean

/** How often and how fast a step is tried again. */
export type RetryPolicy = {
  /** Tries in all, the first included: the seed's `retry_attempts: 3` is 4. */
  readonly maxAttempts: number
  /** Wait before the second try, in milliseconds; each further wait is `factor` times the one before (1: fixed). */
  readonly initialDelayMs: number
  readonly factor: number
  /** No backoff is longer than this, in milliseconds. */
  readonly maxDelayMs: number
  /** Share of a wait that is left to chance, 0 to 1; absent: 1 (full jitter). */
  readonly jitter?: number
  /** Only errors with these codes are tried again; absent: every error that its agent calls retryable. */
  readonly only?: readonly string[]
  /** Errors with these codes are never tried again. */
  readonly never?: readonly string[]
}

/** One value handed to a step: `param` is the name the step sees; a value's name with the fields below it, or CEL. */
export type InputBinding =
  | { readonly param: string; readonly path: readonly string[] }
  | { readonly param: string; readonly value: Expression }

type NodeBase = {
  readonly id: NodeId
  /** What a reader sees in lists; absent when the author wrote none. */
  readonly description?: string
  /** The parallel, map or loop whose body the node is in; absent at the top. Edges never leave a body. */
  readonly parent?: NodeId
}

/** Who works: an agent by name, or any agent that has the capability. Exactly one of the two. */
export type Assignee =
  | { readonly agent: string; readonly capability?: never }
  | { readonly capability: string; readonly agent?: never }

/** What undoes a completed step when its run fails: the same input and, as `$output`, what the step produced. */
export type Compensation = Assignee & { readonly inputs?: readonly InputBinding[] }

/** How far an agent's plan may go: with the plans of its own steps, all together. */
export type PlanBounds = {
  /** Steps that may be done at most: those in a loop or map count as often as it may repeat them. */
  readonly maxTasks: number
  /** 1: no step of the plan may plan; 2: such a step's plan holds none again ... */
  readonly maxDepth: number
  /** No step begins once they have cost so much. */
  readonly budgetUsd?: number
  /** Who may work; both absent: everybody. Where one is there, what it does not name is not permitted. */
  readonly agents?: readonly string[]
  readonly capabilities?: readonly string[]
}

/** What is written down, or a path into what the step is given. */
export type Given<Value> = { readonly value: Value } | { readonly path: readonly string[] }

/** What a step does in the words of authority and policies, which are asked before each attempt. */
export type Governed = {
  /** Of the catalogue of actions. */
  readonly action: Action
  /** US dollars. */
  readonly amount?: Given<number>
  readonly risk?: Given<Risk>
  readonly classification?: Given<Classification>
  /** What becomes of a question to people that is not answered within so many milliseconds. */
  readonly deadline?: { readonly ms: number; readonly rule: 'escalate' | 'expire' | 'reject' }
  /** What arguments must look like that an approver puts in the place of those asked for; absent: anything. */
  readonly argumentsSchema?: JsonSchema
}

/** Work of an agent. */
export type TaskNode = NodeBase &
  Assignee & {
    readonly kind: 'task'
    readonly inputs: readonly InputBinding[]
    /** Name under which the result enters the state; absent: the result is kept on the task alone. */
    readonly output?: string
    /** What the result must look like; a result that does not is the failure OUTPUT_INVALID, retried as any other. */
    readonly outputSchema?: JsonSchema
    readonly retry: RetryPolicy
    /** Limit of one attempt, in milliseconds. */
    readonly timeoutMs: number
    /** Limit of all attempts with the waits between them, in milliseconds. */
    readonly stepTimeoutMs?: number
    /** An attempt that reports no progress for so long is given up, in milliseconds. */
    readonly heartbeatMs?: number
    readonly compensate?: Compensation
    /** It is done only when authority and policies allow it; who must be asked is asked first. */
    readonly governs?: Governed
    /** Its result may be a plan (`$plan`: steps, `$tasks`: sub-tasks), which is then carried out within these bounds. */
    readonly plan?: PlanBounds
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
  /** An approver may put other arguments that fit in the place of the inputs; what was approved is in the output. */
  readonly argumentsSchema?: JsonSchema
}

/** When the branches of a parallel or the items of a map are enough to go on; the rest is then cancelled. */
export type Join =
  | { readonly mode: 'all' }
  | { readonly mode: 'any' }
  | { readonly mode: 'count'; readonly count: number }

/** What a branch or item that fails for good does: fails the whole at once, or counts as a result with its error. */
export type OnFailure = 'fail' | 'collect'

/** Branches side by side. Their outputs enter the state at the join, in the order of the branches. */
export type ParallelNode = NodeBase & {
  readonly kind: 'parallel'
  readonly branches: readonly { readonly name: string; readonly entry: NodeId }[]
  readonly join: Join
  readonly onFailure: OnFailure
  /** Gets `{branch: result}`; a branch that is not there did not arrive. */
  readonly output?: string
}

/** The same body for every item of a list, items side by side. */
export type MapNode = NodeBase & {
  readonly kind: 'map'
  /** The list. */
  readonly over: Expression
  /** The item's name in the body. */
  readonly as: string
  /** The name of its number from 0, if wanted. */
  readonly indexAs?: string
  readonly entry: NodeId
  /** Items under way at once; absent: all. */
  readonly concurrency?: number
  readonly join: Join
  readonly onFailure: OnFailure
  /** What an item results in, in the item's names; absent: the output of its last step. */
  readonly collect?: Expression
  /** Gets the list of results in the order of the items: `{error}` for a failed one, null for one not waited for. */
  readonly output?: string
  /** A longer list fails the step. */
  readonly maxItems: number
}

/** A body again and again; its outputs are in the state at once. */
export type LoopNode = NodeBase & {
  readonly kind: 'loop'
  readonly entry: NodeId
  /** Checked before every turn: none follows when false. */
  readonly while?: Expression
  /** Checked after every turn: none follows when true. */
  readonly until?: Expression
  readonly maxTurns: number
  /** What it means that `maxTurns` were not enough. */
  readonly onExhausted: 'done' | 'fail'
  /** The name of the turn's number, from 0, if wanted. */
  readonly indexAs?: string
}

/** Another workflow as a run of its own. */
export type SubworkflowNode = NodeBase & {
  readonly kind: 'workflow'
  readonly workflow: string
  /** A fixed version; absent: the published one when the step begins. */
  readonly version?: number
  readonly inputs: readonly InputBinding[]
  /** False: it is started and left alone; the output is then `{runId}`. */
  readonly wait: boolean
  /** Gets the outputs of its end. */
  readonly output?: string
  /** Longest wait, in milliseconds; then `failed`, and the run is cancelled. */
  readonly timeoutMs?: number
}

/** What a wait waits for. */
export type WaitFor =
  | { readonly type: 'duration'; readonly ms: number }
  /** CEL with a timestamp or an ISO 8601 text; the past is now. */
  | { readonly type: 'until'; readonly at: Expression }
  /** Sent by `signalRun`; one that came before the wait began is taken too. Its payload is the output. */
  | { readonly type: 'signal'; readonly name: string; readonly schema?: JsonSchema }
  /** An event of the organization's log, with `event` (type, subject, data, time) in the filter. It is the output. */
  | { readonly type: 'event'; readonly event: string; readonly filter?: Expression }
  /** An item on the shared board, which a peer with this capability claims and completes. Its result is the output. */
  | {
      readonly type: 'board'
      readonly capability: string
      readonly inputs: readonly InputBinding[]
      readonly schema?: JsonSchema
    }

/** Waits, without a worker. */
export type WaitNode = NodeBase & {
  readonly kind: 'wait'
  readonly for: WaitFor
  /** Longest wait for a signal, an event or a peer, in milliseconds; then `expired`, else `failed`. */
  readonly timeoutMs?: number
  readonly output?: string
}

/** A message to an agent's inbox. */
export type MessageNode = NodeBase & {
  readonly kind: 'message'
  readonly to: string
  readonly channel: string
  /** CEL: a text, or a value sent as JSON. */
  readonly body: Expression
  readonly output?: string
}

/** Names that the engine itself gives values, one after the other. */
export type TransformNode = NodeBase & {
  readonly kind: 'transform'
  readonly assign: readonly { readonly name: string; readonly value: Expression }[]
}

/** A named end. In a body it ends the branch, the item or the turn; `end` there has the id `end:<compound>`. */
export type EndNode = NodeBase & { readonly kind: 'end' }

/** A step, or an end. */
export type WorkflowNode =
  | TaskNode
  | ConditionNode
  | ReviewNode
  | ParallelNode
  | MapNode
  | LoopNode
  | SubworkflowNode
  | WaitNode
  | MessageNode
  | TransformNode
  | EndNode

/** What must have happened at `from` for an edge to be taken. */
export type EdgeTrigger = 'done' | 'approved' | 'rejected' | 'expired' | 'failed'

/**
 * A way from one node to another of the same body. Of the edges with the right trigger the first, in the order of the
 * list, whose `when` holds (or that has none) is taken; where none is, the body (at the top: the run) is complete.
 */
export type Edge = {
  readonly from: NodeId
  readonly to: NodeId
  readonly on: EdgeTrigger
  /** A CEL expression over trigger payload and outputs, with a boolean result. */
  readonly when?: Expression
}

/** The defaults an author declared; every node holds its effective values itself, every way out is an edge. */
export type ErrorHandling = {
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly fallback?: NodeId
}

/** The runs of a workflow that may be under way at once: in all, or for each value of a key. */
export type ConcurrencyLimit = {
  /** CEL over the trigger's payload; absent: one limit for all. */
  readonly key?: Expression
  readonly max: number
}

/** What values must look like; checked when they come. */
export type Schemas = {
  /** The trigger's payload. */
  readonly input?: JsonSchema
  /** Names of the state. */
  readonly state?: Readonly<Record<string, JsonSchema>>
  /** The outputs of the run's end. */
  readonly output?: JsonSchema
}

/** A checked workflow, plain JSON: what is stored for a version and what the engine's core runs. */
export type WorkflowDefinition = {
  /** The language it was written in. */
  readonly format: 'numbered-steps' | 'graph' | 'tutti/1'
  readonly name: string
  readonly description?: string
  /** The event that starts it. */
  readonly trigger?: string
  readonly entry: NodeId
  /** Names of the trigger's payload that the steps use. */
  readonly inputs: readonly string[]
  /** The steps in the author's order, those of a body after their compound; JSON in a database does not keep it. */
  readonly order: readonly NodeId[]
  readonly nodes: Readonly<Record<NodeId, WorkflowNode>>
  readonly edges: readonly Edge[]
  readonly errorHandling: ErrorHandling
  readonly schemas?: Schemas
  /** Limit of the run's own time, in milliseconds; waits for people, times, signals and events are not counted. */
  readonly timeoutMs?: number
  readonly concurrency?: ConcurrencyLimit
  /** -10 to 10; a step up is worth an hour of waiting. */
  readonly priority?: number
  /** An agent planned it for one step of a run; its runs and those below may cost so much together. */
  readonly planned?: { readonly budgetUsd?: number }
}
