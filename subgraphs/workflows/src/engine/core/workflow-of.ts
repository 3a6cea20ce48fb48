import type {
  Edge,
  EdgeTrigger,
  NodeId,
  RetryPolicy,
  TaskNode,
  WorkflowDefinition,
  WorkflowNode,
} from '../../definitions/index.ts'

const ONCE: RetryPolicy = { maxAttempts: 1, initialDelayMs: 1_000, factor: 2, maxDelayMs: 60_000 }

/** An edge of a test's workflow: from, to, and, unless it is `done` without a condition, on what and when. */
export type ShortEdge = readonly [from: NodeId, to: NodeId, on?: EdgeTrigger, when?: string]

/** A workflow for a test of the core: its first node is the entry. */
export function workflowOf(
  nodes: readonly WorkflowNode[],
  edges: readonly ShortEdge[] = [],
  more: Partial<WorkflowDefinition> = {},
): WorkflowDefinition {
  return {
    format: 'tutti/1',
    name: 'test',
    entry: nodes[0]?.id ?? '',
    inputs: [],
    order: nodes.map(({ id }) => id),
    nodes: Object.fromEntries(nodes.map((node) => [node.id, node])),
    edges: edges.map(([from, to, on = 'done', when]): Edge => ({
      from,
      to,
      on,
      ...(when === undefined ? {} : { when }),
    })),
    errorHandling: { retry: ONCE, timeoutMs: 1_000 },
    ...more,
  }
}

/** Work of an agent of the node's own name, tried once; its result has the node's name. */
export function work(id: NodeId, more: Partial<TaskNode> = {}): TaskNode {
  const { agent: _agent, capability: _capability, ...rest } = more
  return { id, kind: 'task', agent: id, inputs: [], output: id, retry: ONCE, timeoutMs: 1_000, ...rest }
}
