import type {
  EdgeTrigger,
  LoopNode,
  MapNode,
  NodeId,
  ParallelNode,
  WorkflowNode,
} from '../../definitions/index.ts'
import type { FallbackReason, StepError } from './transition.ts'

/** A branch or item that is to begin. */
export type Child = { readonly key: string; readonly state: Readonly<Record<string, unknown>> }

/** What happens next on a strand; a step answers with one, and {@link follow} goes on from there. */
export type Move =
  /** The strand is at a task, or over. */
  | { readonly type: 'rest' }
  /** On to a node of a body (absent: the run's own steps); `from` is the one before it. */
  | { readonly type: 'enter'; readonly id: NodeId; readonly body?: NodeId; readonly from?: NodeId }
  /** Out of a node by the first edge that holds; without one its body is over, or it fails with `otherwise`. */
  | {
      readonly type: 'leave'
      readonly node: WorkflowNode
      readonly on: EdgeTrigger
      readonly otherwise?: StepError
    }
  /** The node has failed for good. `failed`: the step inside it with which that began. */
  | {
      readonly type: 'fail'
      readonly node: WorkflowNode
      readonly error: StepError
      readonly failed?: NodeId
    }
  /** The loop's next turn, if its `while` holds. */
  | { readonly type: 'turn'; readonly loop: LoopNode; readonly turn: number }
  /** Strands begin, and this one waits for them. */
  | {
      readonly type: 'spread'
      readonly node: ParallelNode | MapNode
      readonly children: readonly Child[]
      readonly needed: number
    }
  /** The run fails, once what can be undone is. */
  | { readonly type: 'end run'; readonly error: FallbackReason }

export const REST: Move = { type: 'rest' }

/** Out of a node that is done. */
export function leave(node: WorkflowNode, on: EdgeTrigger = 'done', otherwise?: StepError): Move {
  return { type: 'leave', node, on, ...(otherwise ? { otherwise } : {}) }
}

/** A node that has failed for good. */
export function fail(node: WorkflowNode, error: StepError, failed?: NodeId): Move {
  return { type: 'fail', node, error, ...(failed === undefined ? {} : { failed }) }
}

/** On to a node of a body. */
export function enter(id: NodeId, body: NodeId | undefined, from?: NodeId): Move {
  return {
    type: 'enter',
    id,
    ...(body === undefined ? {} : { body }),
    ...(from === undefined ? {} : { from }),
  }
}
