import type { NodeId, PlanBounds, WorkflowDefinition, WorkflowNode } from '../definitions/index.ts'
import { type PlanProblem, problemAt } from './plan-problem.ts'

/** A plan's steps with bounds that lie within those of the plan, and what goes beyond these. */
export type BoundPlan = {
  readonly nodes: Readonly<Record<NodeId, WorkflowNode>>
  readonly problems: readonly PlanProblem[]
}

/**
 * Holds a plan against its bounds, whatever comes of it: a step in a loop or map counts as often as that may repeat it, and
 * a step that may plan itself brings the tasks that its plan may have. So no plan of a plan needs to look at its siblings,
 * and what is permitted at the top is never exceeded below. `pathOf` says where a step stands.
 */
export function boundPlan(
  { nodes }: Pick<WorkflowDefinition, 'nodes'>,
  bounds: PlanBounds,
  pathOf: (id: NodeId) => string,
): BoundPlan {
  const problems: PlanProblem[] = []
  let total = 0
  const narrowed = Object.values(nodes).map((node): [NodeId, WorkflowNode] => {
    const times = timesOf(nodes, node)
    if (!NO_STEPS.has(node.kind)) total += times
    if (node.kind !== 'task' || !node.plan) return [node.id, node]
    total += times * node.plan.maxTasks
    problems.push(...beyond(node.plan, bounds, `${pathOf(node.id)}.plan`))
    return [node.id, { ...node, plan: within(node.plan, bounds) }]
  })
  if (total > bounds.maxTasks) {
    const message = `The plan may come to ${total} steps; ${bounds.maxTasks} are permitted.`
    const hint =
      'Bound maps (max_items), loops (max_turns) and plans of steps (plan: {max_tasks}), or do less.'
    const [root = ''] = pathOf('').split('.')
    problems.unshift(problemAt(root, 'plan_too_large', message, hint))
  }
  return { nodes: Object.fromEntries(narrowed), problems }
}

/** Those that only hold others, and ends. */
const NO_STEPS: ReadonlySet<WorkflowNode['kind']> = new Set(['parallel', 'map', 'loop', 'end'])

/** How often at most a step is done. */
function timesOf(nodes: WorkflowDefinition['nodes'], { parent }: WorkflowNode): number {
  let times = 1
  for (let around = parent; around !== undefined;) {
    const node = nodes[around]
    if (node?.kind === 'map') times *= node.maxItems
    if (node?.kind === 'loop') times *= node.maxTurns
    around = node?.parent
  }
  return times
}

/** A step of a plan may plan within what is left of the plan's own bounds. */
function within(inner: PlanBounds, outer: PlanBounds): PlanBounds {
  const isFree = inner.agents === undefined && inner.capabilities === undefined
  const { agents, capabilities } = isFree ? outer : inner
  const budgetUsd = inner.budgetUsd ?? outer.budgetUsd
  return {
    maxTasks: inner.maxTasks,
    maxDepth: Math.min(inner.maxDepth, outer.maxDepth - 1),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    ...(agents === undefined ? {} : { agents }),
    ...(capabilities === undefined ? {} : { capabilities }),
  }
}

function beyond(inner: PlanBounds, outer: PlanBounds, path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (outer.maxDepth <= 1)
    problems.push(
      problemAt(path, 'plan_too_large', 'No step of this plan may plan again.', 'Leave "plan" out here.'),
    )
  if (outer.budgetUsd !== undefined && (inner.budgetUsd ?? 0) > outer.budgetUsd)
    problems.push(
      problemAt(
        `${path}.budget_usd`,
        'plan_too_large',
        `${inner.budgetUsd} USD are more than the ${outer.budgetUsd} of the plan itself.`,
        'Leave it out, or write less.',
      ),
    )
  return problems
}
