import { isRecord } from '@tutti/schema'
import { type DefinitionProblem, isValueName, type PlanBounds, readDefinition } from '../definitions/index.ts'
import type { NodeId, ReadOptions, WorkflowDefinition } from '../definitions/index.ts'
import { boundPlan } from './bound-plan.ts'
import { type PlanProblem, problemAt } from './plan-problem.ts'

/** A plan that may be carried out, or everything that is wrong with it. */
export type PlanReading =
  | {
      readonly ok: true
      readonly definition: WorkflowDefinition
      /** The plan as the agent wrote it, JSON. */
      readonly source: string
      /** What its run is given. */
      readonly input: Readonly<Record<string, unknown>>
    }
  | { readonly ok: false; readonly problems: readonly PlanProblem[] }

/** The step that planned. */
export type Planner = {
  readonly bounds: PlanBounds
  /** What the step was given: names that the plan's steps see. */
  readonly input: Readonly<Record<string, unknown>>
  /** The definition that the step is of. */
  readonly definition: Pick<WorkflowDefinition, 'name' | 'errorHandling'>
  /** The agents of the organization, and what they can do; absent: whether they exist is not checked. */
  readonly agents?: readonly { readonly name: string; readonly capabilities: readonly string[] }[]
}

const MOST_TASKS = 100

/** Whether an agent's result is a plan: an object with `$plan` or `$tasks`. */
export const isPlan = (output: unknown): output is Readonly<Record<string, unknown>> =>
  isRecord(output) && (Object.hasOwn(output, '$plan') || Object.hasOwn(output, '$tasks'))

/** How far a step may plan, by its path; what undoes a step never plans. */
export function planBoundsOf(
  { nodes }: Pick<WorkflowDefinition, 'nodes'>,
  id: NodeId,
  path: string,
): PlanBounds | undefined {
  const node = Object.hasOwn(nodes, id) ? nodes[id] : undefined
  return node?.kind === 'task' && !path.endsWith('~undo') ? node.plan : undefined
}

/**
 * Reads an agent's plan: `$plan`, steps as the platform's own format has them, or `$tasks`, a list of
 * `{name, agent | capability, input}` that are done side by side. Never throws; what it takes is bounded as for any
 * definition. Everything that is wrong is found at once, with its path in the result.
 */
export function readPlan(output: Readonly<Record<string, unknown>>, planner: Planner): PlanReading {
  if (Object.hasOwn(output, '$plan') && Object.hasOwn(output, '$tasks'))
    return refused([problemAt('$tasks', 'conflicting_keys', 'A plan is $plan or $tasks.', 'Leave one out.')])
  return Object.hasOwn(output, '$plan')
    ? readSteps(output['$plan'], planner)
    : readTasks(output['$tasks'], planner)
}

const refused = (problems: readonly PlanProblem[]): PlanReading => ({ ok: false, problems })

function readSteps(steps: unknown, planner: Planner): PlanReading {
  if (!Array.isArray(steps))
    return refused([
      problemAt(
        '$plan',
        'wrong_type',
        '"$plan" must be a list of steps.',
        'As [{name: draft, agent: writer}].',
      ),
    ])
  const input = Object.fromEntries(Object.entries(planner.input).filter(([name]) => !name.startsWith('$')))
  const read = readDefinition(
    documentOf(planner, Object.keys(input).filter(isValueName), steps),
    optionsOf(planner),
  )
  if (!read.ok) return refused(read.problems.map((problem) => placed(problem, '$plan', /^steps/, '$$plan')))
  return bounded(read.definition, planner, { source: steps, input, pathOf: pathsIn(steps, '$plan') })
}

/** Sub-tasks become the branches of a parallel, `t0`, `t1` ...; what each is given is data, not names. */
function readTasks(tasks: unknown, planner: Planner): PlanReading {
  if (!Array.isArray(tasks) || tasks.length === 0 || tasks.length > MOST_TASKS) {
    const what = Array.isArray(tasks) ? `holds ${tasks.length} tasks` : 'is no list'
    const hint = `1 to ${MOST_TASKS}, as [{name: draft, agent: writer, input: {topic: tides}}].`
    return refused([problemAt('$tasks', 'wrong_type', `"$tasks" ${what}.`, hint)])
  }
  const problems = tasks.flatMap((task: unknown, index) => inputProblems(task, `$tasks.${index}`))
  const branches = Object.fromEntries(
    tasks.map((task: unknown, index) => [`t${index}`, [isRecord(task) ? without(task, 'input') : task]]),
  )
  const list = tasks.map((_, index) => `results.t${index}`)
  const names = new Set(tasks.map(nameOf))
  const [around, inOrder] = [freeName('tasks', names), freeName('in_order', names)]
  const results = { results: `[${list.join(', ')}]` }
  const steps = [
    { name: around, type: 'parallel', branches, output: 'results' },
    { name: inOrder, set: results },
  ]
  const read = readDefinition(documentOf(planner, [], steps), optionsOf(planner))
  if (!read.ok)
    problems.push(...read.problems.map((problem) => placed(problem, '$tasks', TASK, '$$tasks.$1')))
  if (!read.ok || problems.length > 0) return refused(problems)
  const inputs: Record<string, unknown> = {}
  const nodes = { ...read.definition.nodes }
  for (const [index, task] of tasks.entries()) {
    const id = nameOf(task)
    const node = id === undefined ? undefined : nodes[id]
    if (!isRecord(task) || node?.kind !== 'task') continue
    const given = isRecord(task['input']) ? task['input'] : {}
    const key = `t${index}`
    inputs[key] = given
    nodes[node.id] = {
      ...node,
      inputs: Object.keys(given).map((param) => ({ param, path: ['inputs', key, param] })),
    }
  }
  return bounded({ ...read.definition, inputs: ['inputs'], nodes }, planner, {
    source: tasks,
    input: { inputs },
    pathOf: pathsIn(tasks, '$tasks'),
    own: inOrder,
  })
}

const TASK = /^steps\.0\.branches\.t(\d+)\.0/

function inputProblems(task: unknown, path: string): PlanProblem[] {
  if (!isRecord(task)) return []
  const problems = Object.keys(task).flatMap((key) =>
    ['name', 'agent', 'capability', 'input', 'description'].includes(key)
      ? []
      : [
          problemAt(
            `${path}.${key}`,
            'unknown_key',
            `A task has no "${key}".`,
            'For more than that, use $plan.',
          ),
        ],
  )
  const { input = {} } = task
  if (!isRecord(input))
    return [
      ...problems,
      problemAt(`${path}.input`, 'wrong_type', 'An input must be an object.', 'As {topic: tides}.'),
    ]
  const engines = Object.keys(input).filter((name) => name.startsWith('$') || name === '__proto__')
  return [
    ...problems,
    ...engines.map((name) =>
      problemAt(
        `${path}.input.${name}`,
        'invalid_name',
        `"${name}" cannot name an input.`,
        'Choose another.',
      ),
    ),
  ]
}

type Found = {
  readonly source: unknown
  readonly input: Readonly<Record<string, unknown>>
  readonly pathOf: (id: NodeId) => string
  /** A step that the plan does not have itself: it counts for nothing. */
  readonly own?: NodeId
}

function bounded(
  definition: WorkflowDefinition,
  { bounds }: Planner,
  { source, input, pathOf, own }: Found,
): PlanReading {
  const counted = Object.fromEntries(Object.entries(definition.nodes).filter(([id]) => id !== own))
  const { nodes, problems } = boundPlan({ nodes: counted }, bounds, pathOf)
  if (problems.length > 0) return refused(problems)
  const { budgetUsd } = bounds
  return {
    ok: true,
    definition: {
      ...definition,
      nodes: { ...definition.nodes, ...nodes },
      planned: budgetUsd === undefined ? {} : { budgetUsd },
    },
    source: JSON.stringify(source, null, 2),
    input,
  }
}

function documentOf({ definition }: Planner, inputs: readonly string[], steps: readonly unknown[]): unknown {
  return { format: 'tutti/1', name: definition.name, inputs, steps }
}

function optionsOf({ bounds, agents, definition }: Planner): ReadOptions {
  const { agents: named, capabilities } = bounds
  const anybody = named === undefined && capabilities === undefined
  return {
    ...(agents && {
      knownAgents: agents.map(({ name }) => name),
      knownCapabilities: agents.flatMap((agent) => agent.capabilities),
    }),
    permitted: {
      ...(anybody ? {} : { agent: named ?? [], capability: capabilities ?? [] }),
      workflow: [],
    },
    attemptTimeoutMs: definition.errorHandling.timeoutMs,
  }
}

/** A problem of the workflow that was made of the plan, at its place in the plan. */
const placed = (
  { code, message, hint, path }: DefinitionProblem,
  root: string,
  from: RegExp,
  to: string,
): PlanProblem => problemAt(from.test(path) ? path.replace(from, to) : root, code, message, hint)

const freeName = (name: string, taken: ReadonlySet<string | undefined>): string =>
  taken.has(name) ? freeName(`${name}_`, taken) : name

/** Where in the plan each step stands, by its name. */
function pathsIn(plan: readonly unknown[], root: string): (id: NodeId) => string {
  const paths = new Map<string, string>()
  const look = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    const name = nameOf(value)
    if (name !== undefined && !paths.has(name)) paths.set(name, path)
    for (const [key, inner] of Object.entries(value)) if (key !== 'input') look(inner, `${path}.${key}`)
  }
  look(plan, root)
  return (id) => paths.get(id) ?? root
}

const nameOf = (value: unknown): string | undefined =>
  isRecord(value) && typeof value['name'] === 'string' ? value['name'] : undefined

const without = (record: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key))
